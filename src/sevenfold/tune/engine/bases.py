"""The weight of a frozen layer as products need it, whatever form it is held in."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


def fits(layer: nn.Module) -> bool:
    """Whether :func:`dense` knows the layer's form."""
    return isinstance(layer, nn.Linear) or is_transposed(layer)


def is_transposed(layer: nn.Module) -> bool:
    """Whether the layer holds its weight as ``I x O`` (GPT-2's ``Conv1D``)."""
    return type(layer).__name__ == "Conv1D" and hasattr(layer, "nf")


def sizes(layer: Any) -> tuple[int, int]:
    """Width of the input and of the output."""
    if is_transposed(layer):
        return int(layer.nx), int(layer.nf)
    return int(layer.in_features), int(layer.out_features)


def dense(layer: Any, dtype: torch.dtype) -> Tensor:
    """The layer's weight, ``O x I``, at a type; a view where nothing has to be computed."""
    weight: Tensor = layer.weight.t() if is_transposed(layer) else layer.weight
    return weight.detach().to(dtype)
