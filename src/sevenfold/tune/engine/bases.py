"""The weight of a frozen layer as products need it, whatever form it is held in."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Quantised(nn.Module):
    """A frozen linear layer that holds its weight in few bits; products take it dense, for as long as they last.

    Quantised is what is left of the weight in bfloat16, so that the result is the same at every precision of a run.
    All that is held is parameters: they go to a device with the network and are counted with it.

    Args:
        layer: The layer to replace; its bias is kept as it is.
    """

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.in_features, self.out_features = sizes(layer)
        self.dtype: torch.dtype = layer.weight.dtype
        self.transposed = is_transposed(layer)
        self.bias = layer.bias

    @abstractmethod
    def dense(self, dtype: torch.dtype) -> Tensor:
        """The weight that the bits stand for, ``O x I``, at a type."""

    def packed(self) -> list[Tensor]:
        """All that stands for the weight: codes and scales; the bias is not among them."""
        return [weight for name, weight in self.named_parameters() if name != "bias"]

    @property
    def bits(self) -> float:
        """Bits that a weight takes, its share of the scales included."""
        return 8 * sum(part.nbytes for part in self.packed()) / (self.in_features * self.out_features)

    def forward(self, x: Tensor) -> Tensor:
        """``... x I`` to ``... x O``."""
        y: Tensor = FrozenProduct.apply(x, self)
        return y


class Scaled:
    """A frozen layer with each row of its weight times a factor; only products look at it.

    Args:
        layer: The layer, of a form that :func:`dense` knows.
        gain_O: The factors, float32. The product is rounded once.
    """

    def __init__(self, layer: Any, gain_O: Tensor) -> None:
        self.layer, self.gain_O = layer, gain_O
        self.bias: Tensor | None = layer.bias

    def dense(self, dtype: torch.dtype) -> Tensor:
        """The scaled weight, ``O x I``, at a type."""
        return (dense(self.layer, dtype) * self.gain_O[:, None]).to(dtype)


class FrozenProduct(torch.autograd.Function):
    """``F.linear(x, W, b)`` of a frozen layer that keeps nothing: the backward pass makes W dense again."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layer: nn.Module) -> Tensor:
        """The layer's output, ``... x O``."""
        ctx.layer = layer
        return F.linear(x, dense(layer, x.dtype), bias(layer, x.dtype))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        """The gradient of x."""
        dy = gradients[0]
        return dy @ dense(ctx.layer, dy.dtype), None


def fits(layer: nn.Module) -> bool:
    """Whether :func:`dense` knows the layer's form; other libraries' kinds of ``nn.Linear`` may do more."""
    if isinstance(layer, nn.Linear):
        return layer.weight.is_floating_point() and gives_a_tensor(layer)
    return isinstance(layer, Quantised) or is_transposed(layer)


def gives_a_tensor(layer: nn.Linear) -> bool:
    """Whether a linear layer gives one tensor; a router of experts gives several."""
    if type(layer).forward is nn.Linear.forward:
        return True
    with torch.no_grad():
        return isinstance(layer(layer.weight.new_zeros(1, layer.in_features)), Tensor)


def linear_names(network: Any) -> list[str]:
    """The full names of a causal network's layers that :func:`dense` knows, all but the head."""
    head = network.get_output_embeddings()
    return [name for name, part in network.named_modules() if fits(part) and part is not head]


def is_transposed(layer: nn.Module) -> bool:
    """Whether the layer is transformers' ``Conv1D``, which holds its weight as ``I x O`` (GPT-2), or was before."""
    from transformers.pytorch_utils import Conv1D

    return layer.transposed if isinstance(layer, Quantised) else isinstance(layer, Conv1D)


def sizes(layer: Any) -> tuple[int, int]:
    """Width of the input and of the output."""
    if is_transposed(layer) and not isinstance(layer, Quantised):
        return int(layer.nx), int(layer.nf)
    return int(layer.in_features), int(layer.out_features)


def dense(layer: Any, dtype: torch.dtype) -> Tensor:
    """The layer's weight, ``O x I``, at a type; a view where nothing has to be computed."""
    if isinstance(layer, Quantised | Scaled):
        return layer.dense(dtype)
    weight: Tensor = layer.weight.t() if is_transposed(layer) else layer.weight
    return weight.detach().to(dtype)


def bias(layer: Any, dtype: torch.dtype) -> Tensor | None:
    """The layer's bias at a type, if it has one."""
    return None if layer.bias is None else layer.bias.detach().to(dtype)


def plain(layer: Any, weight_OI: Tensor) -> nn.Module:
    """A layer of the same kind, not quantised, with another weight, frozen, at the type that the layer had."""
    inputs, outputs = sizes(layer)
    held = layer.dtype if isinstance(layer, Quantised) else layer.weight.dtype
    if is_transposed(layer):
        from transformers.pytorch_utils import Conv1D

        made: nn.Module = Conv1D(outputs, inputs)
        weight_OI = weight_OI.t().contiguous()
    else:
        made = nn.Linear(inputs, outputs, bias=layer.bias is not None, device="meta")
    made.weight = nn.Parameter(weight_OI.to(held), requires_grad=False)
    made.bias = layer.bias
    return made


def frozen(network: nn.Module, dtype: torch.dtype) -> tuple[int, int]:
    """How many weights do not move, and the bytes they take when those that are not quantised are held at a type."""
    layers = [part for part in network.modules() if isinstance(part, Quantised)]
    packed = {weight for layer in layers for weight in layer.packed()}
    rest = sum(weight.numel() for weight in network.parameters() if not weight.requires_grad and weight not in packed)
    weights = sum(layer.in_features * layer.out_features for layer in layers)
    return rest + weights, rest * dtype.itemsize + sum(weight.nbytes for weight in packed)
