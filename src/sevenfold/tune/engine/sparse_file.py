"""The file of a network's deltas: ``deltas.safetensors`` and ``deltas.json`` beside it.

``NAME.places`` and ``NAME.deltas`` are the tensors of the layer NAME; the JSON has each layer's axis and the shape of
its weight, outputs x inputs, so that a file is not put on another network.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sevenfold.errors import ModelError
from sevenfold.record import write_json
from sevenfold.tune.engine import bases, sparse

FORMAT = "sevenfold sparse deltas, 1"
TENSORS, SETTINGS = "deltas.safetensors", "deltas.json"


def save(network: nn.Module, folder: Path, base: str, settings: dict[str, Any]) -> None:
    """Write all deltas of a network.

    Args:
        network: With layers of :class:`sparse.SparseLinear`.
        folder: Gets the two files.
        base: Name of the base model.
        settings: What else the reader should know, JSON.
    """
    from safetensors.torch import save_file

    found = sparse.layers(network)
    tensors = {}
    for name, layer in found.items():
        tensors[f"{name}.places"] = layer.places.detach().cpu().contiguous()
        tensors[f"{name}.deltas"] = layer.deltas.detach().float().cpu().contiguous()
    save_file(tensors, folder / TENSORS)
    shapes = {name: {"axis": layer.axis, "shape": [layer.outputs, layer.inputs]} for name, layer in found.items()}
    write_json(folder / SETTINGS, {"format": FORMAT, "base": base, **settings, "layers": shapes})


def load(network: nn.Module, folder: Path) -> None:
    """Put saved deltas on a plain network and freeze the rest.

    Raises:
        ModelError: The files are not of this format, or belong to another network.
    """
    from safetensors.torch import load_file

    settings = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
    if settings.get("format") != FORMAT:
        raise ModelError(
            f"{SETTINGS} has the format {settings.get('format')!r}", where=str(folder / SETTINGS), expected=repr(FORMAT)
        )
    tensors = load_file(folder / TENSORS)
    network.requires_grad_(False)
    for name, layer in settings["layers"].items():
        put(network, name, layer, tensors, folder)


def put(network: nn.Module, name: str, settings: dict[str, Any], tensors: dict[str, Tensor], folder: Path) -> None:
    """Put one layer's deltas in their place."""
    modules = dict(network.named_modules())
    base = modules.get(name)
    if base is None or not bases.fits(base):
        raise wrong(folder, f"the network has no linear layer {name}")
    inputs, outputs = bases.sizes(base)
    if settings["shape"] != [outputs, inputs]:
        raise wrong(folder, f"{name} has {outputs} x {inputs} weights, the file {settings['shape']}")
    places, deltas = tensors.get(f"{name}.places"), tensors.get(f"{name}.deltas")
    limit = {"entries": inputs * outputs, "rows": outputs, "columns": inputs}.get(settings["axis"])
    if places is None or deltas is None or limit is None or not valid(places, limit):
        raise wrong(folder, f"{name} lacks places from 0 to {limit}, each once")
    layer = sparse.wrap(network, name, settings["axis"], places)
    if layer.deltas.shape != deltas.shape:
        raise wrong(folder, f"{name} has {tuple(deltas.shape)} deltas for {len(places)} places")
    layer.deltas.data.copy_(deltas)


def valid(places: Tensor, limit: int) -> bool:
    """Whether these are places below a limit, each once."""
    if places.ndim != 1 or places.dtype not in (torch.int32, torch.int64) or not len(places):
        return False
    return bool(places.min() >= 0 and places.max() < limit and len(places.unique()) == len(places))


def wrong(folder: Path, reason: str) -> ModelError:
    """The error for a file that does not fit."""
    return ModelError(
        f"the deltas do not fit the network: {reason}",
        where=str(folder / TENSORS),
        next_step="load the base model that they were trained on",
    )
