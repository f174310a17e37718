"""Bottleneck adapters: a narrow trained network behind a part of a block, or beside it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sevenfold.tune.engine.beside import Beside

if TYPE_CHECKING:
    from torch.utils.hooks import RemovableHandle

ATEN = torch.ops.aten
ACTIVATIONS: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor, Tensor, Tensor], Tensor]]] = {
    "relu": (F.relu, lambda da, z, a: ATEN.threshold_backward(da, a, 0)),
    "gelu": (F.gelu, lambda da, z, a: ATEN.gelu_backward(da, z)),
    "silu": (F.silu, lambda da, z, a: ATEN.silu_backward(da, z)),
    "tanh": (torch.tanh, lambda da, z, a: ATEN.tanh_backward(da, a)),
}
"""Functions ``a = f(z)``, and the gradient of z from those of a, from z and from a."""


class BottleneckProducts(torch.autograd.Function):
    """``y = h + scale * (f(x D^T + d) U^T + u)``, products at the type of x.

    Equals the plain expression. Only x is kept for the backward pass: what is narrow is computed again there.

    Shapes: h and x are ``... x I``, D is ``R x I``, d is ``R``, U is ``I x R``, u is ``I``.
    """

    @staticmethod
    def forward(ctx: Any, h: Tensor, x: Tensor, activation: str, scale: float, *weights: Tensor) -> Tensor:
        """The sum, of the shape of h; ``weights`` are D, d, U and u."""
        down, down_bias, up, up_bias = (weight.to(x.dtype) for weight in weights)
        a_TR = ACTIVATIONS[activation][0](F.linear(x.reshape(-1, x.shape[-1]), down, down_bias))
        ctx.save_for_backward(x, *weights)
        ctx.activation, ctx.scale = activation, scale
        y_TI = torch.addmm(h.reshape(-1, h.shape[-1]), a_TR, up.t(), alpha=scale)
        return y_TI.add_(up_bias, alpha=scale).view(h.shape)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of h, of x and of the weights."""
        x, *weights = ctx.saved_tensors
        down, down_bias, up, _ = (weight.to(x.dtype) for weight in weights)
        activate, derive = ACTIVATIONS[ctx.activation]
        x_TI = x.reshape(-1, x.shape[-1])
        dy_TI = gradients[0].reshape(x_TI.shape) * ctx.scale
        z_TR = F.linear(x_TI, down, down_bias)
        a_TR = activate(z_TR)
        dz_TR = derive(dy_TI @ up, z_TR, a_TR)
        dx = (dz_TR @ down).view(x.shape) if ctx.needs_input_grad[1] else None
        of_down = (dz_TR.t() @ x_TI).float(), dz_TR.float().sum(0)
        of_up = (dy_TI.t() @ a_TR).float(), dy_TI.float().sum(0)
        return gradients[0], dx, None, None, *of_down, *of_up


class Bottleneck(Beside):
    """On a part of a block: adds what a narrow network makes of its output, or of its input.

    Args:
        width: Of the part's input and output.
        narrow: Of the narrow network.
        activation: One of :data:`ACTIVATIONS`.
        scale: Factor of what is added.
        parallel: Whether it reads the input.
    """

    def __init__(self, width: int, narrow: int, activation: str, scale: float, parallel: bool) -> None:
        super().__init__()
        self.down, self.up = nn.Linear(width, narrow), nn.Linear(narrow, width)
        self.activation, self.scale, self.parallel = activation, scale, parallel
        nn.init.kaiming_uniform_(self.down.weight, a=math.sqrt(5))
        for weight in (self.down.bias, self.up.weight, self.up.bias):
            nn.init.zeros_(weight)

    def hooks(self, layer: nn.Module) -> list[RemovableHandle]:
        """Behind the part."""
        return [layer.register_forward_hook(self.add, with_kwargs=True)]

    def add(self, layer: nn.Module, positional: tuple[Any, ...], named: dict[str, Any], output: Any) -> Any:
        """The part's output with what is added; of several things that it gives the first is meant."""
        h = output[0] if isinstance(output, tuple) else output
        x = (positional[0] if positional else named["hidden_states"]) if self.parallel else h
        weights = self.down.weight, self.down.bias, self.up.weight, self.up.bias
        y = BottleneckProducts.apply(h, x, self.activation, self.scale, *weights)
        return (y, *output[1:]) if isinstance(output, tuple) else y
