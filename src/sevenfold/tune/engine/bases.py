"""The weight of a frozen layer as products need it, whatever form it is held in."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


def fits(layer: nn.Module) -> bool:
    """Whether :func:`dense` knows the layer's form."""
    return isinstance(layer, nn.Linear) or is_transposed(layer)


def is_transposed(layer: nn.Module) -> bool:
    """Whether the layer is transformers' ``Conv1D``, which holds its weight as ``I x O`` (GPT-2)."""
    from transformers.pytorch_utils import Conv1D

    return isinstance(layer, Conv1D)


def sizes(layer: Any) -> tuple[int, int]:
    """Width of the input and of the output."""
    if is_transposed(layer):
        return int(layer.nx), int(layer.nf)
    return int(layer.in_features), int(layer.out_features)


def dense(layer: Any, dtype: torch.dtype) -> Tensor:
    """The layer's weight, ``O x I``, at a type; a view where nothing has to be computed."""
    weight: Tensor = layer.weight.t() if is_transposed(layer) else layer.weight
    return weight.detach().to(dtype)


def bias(layer: Any, dtype: torch.dtype) -> Tensor | None:
    """The layer's bias at a type, if it has one."""
    return None if layer.bias is None else layer.bias.detach().to(dtype)


def plain(layer: Any, weight_OI: Tensor) -> nn.Module:
    """A layer of the same kind with another weight, frozen, at the layer's type."""
    inputs, outputs = sizes(layer)
    if is_transposed(layer):
        from transformers.pytorch_utils import Conv1D

        made: nn.Module = Conv1D(outputs, inputs)
        weight_OI = weight_OI.t().contiguous()
    else:
        made = nn.Linear(inputs, outputs, bias=layer.bias is not None, device="meta")
    made.weight = nn.Parameter(weight_OI.to(layer.weight.dtype), requires_grad=False)
    made.bias = layer.bias
    return made
