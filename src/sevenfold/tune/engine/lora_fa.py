"""Frozen layers and low-rank changes whose A does not move: of the input only its few products with A are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from sevenfold.tune.engine.lora import Group, LoraLinear, input_gradients, note, products, rows, up_gradients


class FrozenDownProducts(torch.autograd.Function):
    """What :class:`LoraProducts` computes where A does not move; ``x A^T`` is kept for the backward pass, ``x`` is not.

    Equals ``F.linear(x, W, b) + scale * F.linear(F.linear(x, A.detach()), B)`` of each layer. The gradient of B needs
    ``x A^T`` alone, and that of x only weights: so ``T x R`` numbers a layer are kept instead of ``T x I``, and none of
    it is computed again. Shapes are those of :class:`LoraProducts`.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, layers: Sequence[nn.Module], scales: Sequence[float], *tensors: Tensor) -> Any:
        """The layers' outputs, each ``... x O``; ``tensors`` are all A, all B, and ``low``."""
        outputs, made = products(x, layers, scales, tensors)
        ctx.save_for_backward(made.z_TR, made.a_RI, *made.scaled)
        note(ctx, made, layers, scales, x)
        return outputs

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Any, ...]:
        """Gradients of x, of all B, and of ``low``."""
        z_TR, a_RI, *scaled = ctx.saved_tensors
        dys = [rows(dy) for dy in gradients]
        dz_TR = torch.cat([dy_TO @ b_OR for dy_TO, b_OR in zip(dys, scaled, strict=True)], -1)
        dx, *dlow = input_gradients(dz_TR, a_RI, dys, ctx)
        db = up_gradients(dys, z_TR.split(ctx.ranks, -1), ctx.scales)
        return dx, None, None, *([None] * len(db)), *db, *dlow


class FrozenDownLinear(LoraLinear):
    """A linear layer with a low-rank change of which only B moves; arguments as of :class:`LoraLinear`."""

    def __init__(self, base: nn.Module, rank: int, scale: float, dropout: float = 0.0) -> None:
        super().__init__(base, rank, scale, dropout)
        self.lora_A.requires_grad_(False)
        self.group = FrozenDownGroup([self])


class FrozenDownGroup(Group):
    """Layers behind one input of whose changes only B moves."""

    function: ClassVar[type[torch.autograd.Function]] = FrozenDownProducts
