"""Tensors beside layers of a network, in the file and by the names of PEFT."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

PEFT_PREFIX = "base_model.model."
ADAPTER_FILE = "adapter_model.safetensors"


def write(file: Path, layers: Mapping[str, Mapping[str, torch.Tensor]]) -> None:
    """Write tensors of layers, by the layer's name in the network and PEFT's name in the layer, float32."""
    from safetensors.torch import save_file

    tensors = {
        f"{PEFT_PREFIX}{name}.{key}": value.detach().float().cpu().contiguous()
        for name, own in layers.items()
        for key, value in own.items()
    }
    save_file(tensors, file, metadata={"format": "pt"})


def saved(file: Path) -> Iterator[tuple[str, dict[str, torch.Tensor]]]:
    """The layers of an adapter's file: the name in the network, and tensors by PEFT's names in the layer."""
    from safetensors.torch import load_file

    tensors = load_file(file)
    for key in sorted(tensors):
        if key.endswith(".lora_A.weight"):
            layer = key.removesuffix("lora_A.weight")
            own = {other.removeprefix(layer): value for other, value in tensors.items() if other.startswith(layer)}
            yield layer.removeprefix(PEFT_PREFIX).removesuffix("."), own


def put(weight: torch.Tensor, kept: torch.Tensor) -> None:
    """Set a weight to a saved value of the same shape."""
    if weight.shape != kept.shape:
        raise ValueError(f"{tuple(kept.shape)} where {tuple(weight.shape)} is expected")
    weight.data.copy_(kept)
