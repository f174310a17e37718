"""How far weights are from where they started, as a term of the loss."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from sevenfold.tune.beside import Working
from sevenfold.tune.engine import noise


class Distance(torch.autograd.Function):
    """``sum_i f_i |w_i - s_i|^p / p`` of a weight, p being 1 or 2; nothing is kept but what is there anyway.

    Equals the same written in tensors, whose graph would hold two more copies of the weight.
    """

    @staticmethod
    def forward(ctx: Any, weight: Tensor, start: Tensor, factors: Tensor | None, power: int) -> Tensor:
        """The sum, float32."""
        ctx.save_for_backward(weight, start, *([] if factors is None else [factors]))
        ctx.power = power
        total = torch.zeros((), device=weight.device)
        for gap, factor in gaps(weight, start, factors):
            sizes = gap.abs_() if power == 1 else gap.square_().mul_(0.5)
            total += (sizes if factor is None else sizes.mul_(factor)).sum()
        return total

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor, None, None, None]:
        """``f_i (w_i - s_i)``, or its sign, times the slope."""
        weight, start, *rest = ctx.saved_tensors
        found = torch.empty_like(weight, memory_format=torch.contiguous_format)
        pieces = found.view(-1).split(noise.PART)
        for piece, (gap, factor) in zip(pieces, gaps(weight, start, rest[0] if rest else None), strict=True):
            slope = gap.sign_() if ctx.power == 1 else gap
            piece.copy_((slope if factor is None else slope.mul_(factor)).mul_(slopes[0]))
        return found, None, None, None


def gaps(weight: Tensor, start: Tensor, factors: Tensor | None) -> Iterator[tuple[Tensor, Tensor | None]]:
    """``w - s`` in float32 with the factors, in parts."""
    flat = [tensor.detach().reshape(-1).split(noise.PART) for tensor in (weight, start)]
    scales = [None] * len(flat[0]) if factors is None else factors.reshape(-1).split(noise.PART)
    for piece, origin, scale in zip(*flat, scales, strict=True):
        yield piece.float() - origin.float(), scale


class Held(Working):
    """Weights held to where they started.

    Args:
        name: As of :class:`Working`.
        weights: What moves, by name, as it starts; copied.
        strength: Multiplies the sum.
        power: 1 or 2.
        factors: What each element counts, by name; None: all the same.
    """

    def __init__(
        self,
        name: str,
        weights: Mapping[str, nn.Parameter],
        strength: float,
        power: int,
        factors: Mapping[str, Tensor] | None = None,
    ) -> None:
        super().__init__(name)
        self.strength, self.power = strength, power
        self.held = [
            (weight, weight.detach().clone(), None if factors is None else factors[name])
            for name, weight in weights.items()
        ]

    def penalty(self) -> Tensor:
        """``strength sum_i f_i |w_i - s_i|^p / p``."""
        parts: list[Tensor] = [Distance.apply(*one, self.power) for one in self.held]
        return self.strength * torch.stack(parts).sum()
