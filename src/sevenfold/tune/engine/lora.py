"""A frozen linear layer and its low-rank change in one pass that saves only its input."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class LoraProduct(torch.autograd.Function):
    """``y = x W^T + b + scale * (x A^T) B^T``, products at the type of ``x``.

    Equals the plain expression ``F.linear(x, W, b) + scale * F.linear(F.linear(x, A), B)``. Only ``x`` is kept for
    the backward pass; ``x A^T`` is computed again there, which costs ``rank / output`` of the layer's product. No
    gradient is computed for W and b.

    Shapes: x is ``... x I``, W is ``O x I``, A is ``R x I``, B is ``O x R``.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, a: Tensor, b: Tensor, scale: float) -> Tensor:
        """The layer's output, ``... x O``."""
        a, b = a.to(x.dtype), b.to(x.dtype)
        ctx.save_for_backward(x, weight, a, b)
        ctx.scale = scale
        y = F.linear(x, weight, bias)
        rows_TO = y.view(-1, y.shape[-1])
        rows_TO.addmm_(F.linear(x.reshape(-1, x.shape[-1]), a), b.t(), alpha=scale)
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of x, A and B."""
        x, weight, a, b = ctx.saved_tensors
        dy_TO = gradients[0].reshape(-1, weight.shape[0])
        x_TI = x.reshape(-1, weight.shape[1])
        dz_TR = (dy_TO @ b).mul_(ctx.scale)
        da = dz_TR.t() @ x_TI
        db = dy_TO.t() @ F.linear(x_TI, a).mul_(ctx.scale)
        dx = None
        if ctx.needs_input_grad[0]:
            dx = (dy_TO @ weight).addmm_(dz_TR, a).view(x.shape)
        return dx, None, None, da.float(), db.float(), None


class LoraLinear(nn.Module):
    """A linear layer with a low-rank change beside it; parameters are named as PEFT names them.

    Args:
        base: The layer to adapt; it is kept as it is and does not move.
        rank: Rank of the change.
        scale: Factor of the change.
    """

    def __init__(self, base: nn.Module, rank: int, scale: float) -> None:
        super().__init__()
        if not isinstance(base, nn.Linear):
            raise TypeError(f"LoRA adapts linear layers, not {type(base).__name__}")
        self.base_layer, self.scale = base, scale
        device = base.weight.device
        self.lora_A = nn.Linear(base.in_features, rank, bias=False, device=device, dtype=torch.float32)
        self.lora_B = nn.Linear(rank, base.out_features, bias=False, device=device, dtype=torch.float32)
        nn.init.kaiming_uniform_(self.lora_A.weight, a=math.sqrt(5))
        nn.init.zeros_(self.lora_B.weight)

    def forward(self, x: Tensor) -> Tensor:
        """``... x I`` to ``... x O``."""
        base = self.base_layer
        output: Tensor = LoraProduct.apply(
            x, base.weight, base.bias, self.lora_A.weight, self.lora_B.weight, self.scale
        )
        return output

    def merged(self) -> nn.Linear:
        """A plain layer with ``W + scale * B A``, added in float32 and rounded once to the base's type."""
        base = self.base_layer
        change = self.scale * (self.lora_B.weight @ self.lora_A.weight)
        plain = nn.Linear(base.in_features, base.out_features, bias=base.bias is not None, device="meta")
        plain.weight = nn.Parameter((base.weight.float() + change).to(base.weight.dtype), requires_grad=False)
        plain.bias = base.bias
        return plain
