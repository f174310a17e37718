"""A frozen layer whose rows keep a length of their own while a low-rank change turns them."""

from __future__ import annotations

from typing import Any, Self

import torch
from torch import Tensor, nn

from sevenfold.tune.engine import bases
from sevenfold.tune.engine.lora import Group, LoraLinear, rows


class DoraLinear(LoraLinear):
    r"""``y = (m / |V|) V x + b`` with ``V = W + scale * B A``; |V| is the length of each row, m begins there.

    Parameters are named as PEFT names them, and the length takes no part in gradients (section 4.3 of the paper).
    Arguments are as of :class:`LoraLinear`. Where it changes nothing, so at the start, ``m / |V|`` is one to the last
    bit.
    """

    squares: Tensor
    known: tuple[tuple[Any, ...], Tensor] | None = None
    """In evaluation: for which values the gain was computed last, and the gain."""

    def __init__(self, base: nn.Module, rank: int, scale: float, dropout: float = 0.0) -> None:
        super().__init__(base, rank, scale, dropout)
        self.register_buffer("squares", bases.dense(base, torch.float32).square().sum(1), persistent=False)
        self.lora_magnitude_vector = nn.Parameter(self.squares.sqrt())
        self.group = DoraGroup([self])

    @torch.no_grad()
    def lengths(self, dtype: torch.dtype) -> Tensor:
        r"""The length of each row of V, ``O``, float32; V itself is never made.

        .. math:: |V_o|^2 = |W_o|^2 + 2 scale \, B_o (A W_o^T) + scale^2 \, B_o (A A^T) B_o^T

        The first term does not change, and the others are products with a side of R: ``R / T`` of a layer's product
        with T tokens.

        Args:
            dtype: The type of the product of W and A; sums are float32.
        """
        down_RI, up_OR = self.factors()
        with_base_OR = (bases.dense(self.base_layer, dtype) @ down_RI.t().to(dtype)).float()
        of_change_OR = up_OR @ (down_RI @ down_RI.t())
        more_O = (up_OR * (2 * self.scale * with_base_OR + self.scale**2 * of_change_OR)).sum(1)
        return (self.squares + more_O).clamp_min(torch.finfo(torch.float32).tiny).sqrt()

    def gain(self, dtype: torch.dtype) -> Tensor:
        """``m / |V|``, ``O``, float32, a constant for gradients; in evaluation, token by token, computed once."""
        if self.training:
            return self.lora_magnitude_vector.detach() / self.lengths(dtype)
        weights = (self.lora_A.weight, self.lora_B.weight, self.lora_magnitude_vector)
        values = (dtype, *(weight._version for weight in weights))
        if self.known is None or self.known[0] != values:
            self.known = values, self.lora_magnitude_vector.detach() / self.lengths(dtype)
        return self.known[1]

    def train(self, mode: bool = True) -> Self:
        """Switch between training and evaluation; what evaluation knew is forgotten."""
        self.known = None
        return super().train(mode)

    def merged(self) -> nn.Module:
        """A plain layer with ``(m / |V|) V``, computed in float32 and rounded once to the base's type."""
        turned_OI = bases.dense(self.base_layer, torch.float32) + self.change()
        return bases.plain(self.base_layer, turned_OI * self.gain(torch.float32)[:, None])


class Magnitude(torch.autograd.Function):
    """Gives y back; the gradient of m is ``sum over tokens of dy * (y - b) / m``.

    Equals the gradient that autograd finds for m in ``y = m * v + b``, without v being computed again: y is kept,
    which most networks keep for the next step anyway.
    """

    @staticmethod
    def forward(ctx: Any, y: Tensor, m_O: Tensor, layer: nn.Module) -> Tensor:
        """The outputs as they are, ``... x O``; ``layer`` is the one with the bias."""
        ctx.save_for_backward(y, m_O)
        ctx.layer = layer
        return y.view_as(y)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None]:
        """The gradient of y, as it came, and that of m, float32."""
        (dy,) = gradients
        y, m_O = ctx.saved_tensors
        dm_O = rows(dy * y).sum(0, dtype=torch.float32)
        bias_O = bases.bias(ctx.layer, torch.float32)
        if bias_O is not None:
            dm_O -= bias_O * rows(dy).sum(0, dtype=torch.float32)
        return dy, dm_O / m_O, None


class DoraGroup(Group):
    """Layers behind one input whose rows keep lengths of their own."""

    def products(self, x: Tensor) -> tuple[Tensor, ...]:
        """All members' outputs: a LoRA beside rows of W, and of B, that are scaled."""
        gains = [part.gain(x.dtype) for part in self.members]
        pairs = self.pairs
        if not torch.is_grad_enabled():
            outputs = self.made(x, [part.base_layer for part in self.members], pairs)
            return tuple(stretched(*each) for each in zip(outputs, gains, self.members, strict=True))
        layers = [bases.Scaled(part.base_layer, gain) for part, gain in zip(self.members, gains, strict=True)]
        ups = [up_OR * gain[:, None] for up_OR, gain in zip(pairs[len(gains) :], gains, strict=True)]
        outputs = self.made(x, layers, [*pairs[: len(gains)], *ups])
        return tuple(
            Magnitude.apply(y, part.lora_magnitude_vector, part.base_layer)
            for y, part in zip(outputs, self.members, strict=True)
        )


def stretched(y: Tensor, gain_O: Tensor, part: DoraLinear) -> Tensor:
    """``gain * (y - b) + b`` for an output of the layer without gain: for a token alone cheaper than scaled weights."""
    bias_O = bases.bias(part.base_layer, y.dtype)
    turned = y if bias_O is None else y - bias_O
    return y + (turned * (gain_O - 1)).to(y.dtype)
