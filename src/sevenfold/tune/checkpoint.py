"""Checkpoints with everything that the next step depends on, atomic and rotating; no pickle anywhere.

A checkpoint is a folder ``step-00000025`` with ``weights.safetensors`` (what moves), ``optimizer.safetensors`` (its
state, by parameter), ``generators.safetensors`` (states of random generators) and ``state.json`` (the step and what
the trainer remembers). The order of the rows is a function of seed and step and needs no state.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sevenfold.disk import machine_error
from sevenfold.record import write_json

if TYPE_CHECKING:
    import torch

    Named = dict[str, torch.Tensor]


def save(folder: Path, state: dict[str, Any], weights: Named, optimizer: torch.optim.Optimizer, keep: int) -> Path:
    """Write a checkpoint and remove the oldest beyond ``keep``.

    Args:
        folder: Holds all checkpoints.
        state: JSON; ``state["step"]`` names the checkpoint.
        weights: What moves, by name.
        optimizer: Made for exactly these weights.
        keep: Checkpoints that stay.

    Returns:
        The checkpoint's folder.

    Raises:
        MachineError: The disk is full or the folder cannot be written; earlier checkpoints are untouched.
    """
    place = folder / f"step-{state['step']:08d}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=folder, prefix=".writing-"))
        try:
            write_tensors(temporary, weights, optimizer)
            write_json(temporary / "state.json", state)
            if place.exists():
                shutil.rmtree(place)
            temporary.rename(place)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        raise machine_error(error, place) from error
    for old in found(folder)[:-keep]:
        shutil.rmtree(old)
    return place


def write_tensors(folder: Path, weights: Named, optimizer: torch.optim.Optimizer) -> None:
    """The tensor files of a checkpoint."""
    import torch
    from safetensors.torch import save_file

    save_file({name: weight.detach().contiguous() for name, weight in weights.items()}, folder / "weights.safetensors")
    moments = {
        f"{name}/{key}": torch.as_tensor(value).detach().contiguous()
        for name, weight in weights.items()
        for key, value in optimizer.state.get(weight, {}).items()
        if value is not None
    }
    save_file(apart(moments), folder / "optimizer.safetensors")
    save_file(generators(), folder / "generators.safetensors")


def apart(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Tensors of which none shares memory with another, as the file wants them.

    What an optimiser has once for all weights (the code book of 8-bit moments) is written for each.
    """
    seen: set[int] = set()
    found = {}
    for name, tensor in tensors.items():
        place = tensor.untyped_storage().data_ptr()
        found[name] = tensor.clone() if place in seen else tensor
        seen.add(place)
    return found


def generators() -> dict[str, torch.Tensor]:
    """The states of torch's generators: the CPU's and each GPU's."""
    import torch

    states = {"cpu": torch.get_rng_state()}
    for index in range(torch.cuda.device_count()):
        states[f"cuda/{index}"] = torch.cuda.get_rng_state(index)
    return states


def found(folder: Path) -> list[Path]:
    """Complete checkpoints, oldest first; half-written ones have another name and are not among them."""
    return sorted(folder.glob("step-*"))


def load(place: Path, weights: Named, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Put a checkpoint back: weights, optimiser and generators; gives its state."""
    import torch
    from safetensors.torch import load_file

    load_weights(place / "weights.safetensors", weights)
    moments = load_file(place / "optimizer.safetensors")
    for name, weight in weights.items():
        kept = {key.rpartition("/")[2]: value for key, value in moments.items() if key.rpartition("/")[0] == name}
        if not kept:
            continue
        optimizer.state[weight] = {key: live(value, weight) for key, value in kept.items()}
    for name, state in load_file(place / "generators.safetensors").items():
        kind, _, index = name.partition("/")
        if kind == "cpu":
            torch.set_rng_state(state)
        elif int(index) < torch.cuda.device_count():
            torch.cuda.set_rng_state(state, int(index))
    loaded: dict[str, Any] = json.loads((place / "state.json").read_text(encoding="utf-8"))
    return loaded


def live(value: torch.Tensor, weight: torch.Tensor) -> torch.Tensor | int:
    """A value of an optimiser's state as it was: on its weight's device; counts stay on the CPU, or are plain numbers.

    torch's optimisers count in floating point, so a whole number was one of Python's.
    """
    if value.ndim:
        return value.to(weight.device)
    return value if value.is_floating_point() else int(value)


def load_weights(path: Path, weights: Named) -> None:
    """Put saved values into the weights that move."""
    from safetensors.torch import load_file

    kept = load_file(path)
    if kept.keys() != weights.keys():
        raise ValueError(f"{path} holds other weights than the ones that move")
    for name, weight in weights.items():
        weight.data.copy_(kept[name])
