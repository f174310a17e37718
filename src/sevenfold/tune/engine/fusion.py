"""Attention over several frozen adapters of a layer: each token takes of each what it needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sevenfold.tune.engine import bases

if TYPE_CHECKING:
    from sevenfold.tune.several.files import Pair

SPREAD = 0.02
"""Standard deviation of queries and keys at the start, as in the authors' code."""


class FusedLinear(nn.Module):
    """``y = h + V sum_n a_n d_n`` with ``h = W x + b``, ``d_n = s_n B_n A_n x``, ``a = softmax_n((Q h) . (K d_n))``.

    The changes ``d_n`` are never made one by one: ``K d_n`` is ``(K s_n B_n)(A_n x)``, and the weighted sum is one
    product of all B with what all A give, each stretch of it times its ``a_n``. So N adapters of rank R cost what one
    of rank N R costs, and queries and keys come on top.

    Shapes: x is ``... x I``, h and d_n are ``... x O``, Q and K are ``W x O``, V is ``O x O``.

    Args:
        base: The layer, of a form that :mod:`bases` knows; it does not move.
        pairs: The adapters' changes of this layer; they do not move and lie at the base's type.
        width: W of queries and keys; None: O.
        value: Whether V is learnt; else it is the identity.
    """

    def __init__(self, base: nn.Module, pairs: Sequence[Pair], width: int | None, value: bool) -> None:
        super().__init__()
        if not bases.fits(base):
            raise TypeError(f"fusion adapts linear layers, not {type(base).__name__}")
        outputs = bases.sizes(base)[1]
        like = next(base.parameters())
        dtype = like.dtype if like.is_floating_point() else torch.bfloat16
        held: dict[str, Any] = {"device": like.device, "dtype": dtype}
        self.base_layer, self.ranks = base, [pair.rank for pair in pairs]
        self.downs = frozen(torch.cat([pair.down_RI for pair in pairs]).to(**held))
        self.ups = frozen(torch.cat([pair.scale * pair.up_OR for pair in pairs], 1).to(**held))
        made: dict[str, Any] = {"device": like.device, "dtype": torch.float32}
        self.query = nn.Parameter(SPREAD * torch.randn(width or outputs, outputs, **made))
        self.key = nn.Parameter(SPREAD * torch.randn(width or outputs, outputs, **made))
        self.value = nn.Parameter(torch.eye(outputs, **made)) if value else None

    def forward(self, x: Tensor) -> Tensor:
        """``... x I`` to ``... x O``."""
        layer: Any = self.base_layer
        h = F.linear(x, bases.dense(layer, x.dtype), bases.bias(layer, x.dtype))
        z = F.linear(x, self.downs.to(x.dtype))
        up_OR = self.ups.to(x.dtype)
        weighted = self.attention(h, z, up_OR).to(z.dtype).repeat_interleave(self.spread, -1) * z
        change = F.linear(weighted, up_OR)
        return h + (change if self.value is None else F.linear(change, self.value.to(x.dtype)))

    @property
    def spread(self) -> Tensor:
        """How many columns of all A together are each adapter's."""
        return torch.tensor(self.ranks, device=self.downs.device)

    def attention(self, h: Tensor, z: Tensor, up_OR: Tensor) -> Tensor:
        """The share of each adapter for each token, ``... x N``, float32."""
        q = F.linear(h, self.query.to(h.dtype))
        # K s_n B_n of all adapters, side by side.
        keys = self.key.to(h.dtype) @ up_OR
        parts = zip(z.split(self.ranks, -1), keys.split(self.ranks, -1), strict=True)
        scores = [(q * F.linear(z_n, k_n)).sum(-1) for z_n, k_n in parts]
        return torch.stack(scores, -1).float().softmax(-1)

    @property
    def weight(self) -> Tensor:
        """The base's weight, for networks that look at it."""
        return self.base_layer.weight  # type: ignore[return-value]

    @property
    def bias(self) -> Tensor | None:
        """The base's bias, for networks that look at it."""
        return self.base_layer.bias  # type: ignore[return-value]


def frozen(weight: Tensor) -> nn.Parameter:
    """A parameter that does not move."""
    return nn.Parameter(weight, requires_grad=False)
