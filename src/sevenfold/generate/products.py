"""Attention inside a short text as plain matrix products.

A CPU does them several times faster than torch's fused kernel does its backward pass, and a little faster forward.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F

LONGEST = 512
"""Tokens up to which products are used; above, torch's fused attention is faster."""


def attention_weights(q: Tensor, k: Tensor, mask_LS: Tensor, scaling: float, cap: float | None = None) -> Tensor:
    """``softmax(scaling Q K^T + mask)``, ``G x (H/G L) x S``; perhaps with scores that go no further than a cap."""
    rows = grouped(q, k)
    shape = (k.shape[1], rows.shape[1] // q.shape[2], *mask_LS.shape)
    mask = mask_LS.expand(shape).reshape(shape[0], rows.shape[1], k.shape[2])
    keys = k[0].transpose(1, 2)
    if cap is None:
        return torch.softmax(torch.baddbmm(mask, rows, keys, alpha=scaling), dim=-1)
    return torch.softmax(capped(torch.bmm(rows, keys) * scaling, cap) + mask, dim=-1)


def capped(scores: Tensor, cap: float | None) -> Tensor:
    """``cap tanh(scores / cap)``; as they are without a cap."""
    return scores if cap is None else cap * torch.tanh(scores / cap)


def grouped(q: Tensor, k: Tensor) -> Tensor:
    """``1 x H x L x D`` as ``G x (H/G L) x D``: heads that share keys stand behind one another."""
    return q[0].reshape(k.shape[1], -1, q.shape[-1])


def causal_mask(length: int, seen: int, window: int | None, dtype: torch.dtype, causal: bool = True) -> Tensor:
    """The additive mask of attention of the last ``length`` of ``seen`` places, ``L x S``; perhaps a window.

    It is zero where attention is allowed and minus infinity elsewhere. Where it is not causal, a window reaches as far
    ahead as it reaches back. ``seen`` is at most :data:`LONGEST`: every mask is a part of one.
    """
    return square_mask(window, dtype, causal)[seen - length : seen, :seen]


@lru_cache(maxsize=16)
def square_mask(window: int | None, dtype: torch.dtype, causal: bool) -> Tensor:
    """The mask of a text of the greatest length."""
    # It is kept for passes with gradients, whoever asks for it first.
    with torch.inference_mode(False):
        hidden = ~allowed(LONGEST, LONGEST, window, torch.device("cpu"), causal)
        return torch.zeros(LONGEST, LONGEST, dtype=dtype).masked_fill_(hidden, float("-inf"))


def fused(
    q: Tensor, k: Tensor, v: Tensor, window: int | None, dropout: float, scaling: float, causal: bool = True
) -> Tensor:
    """The attention of torch on one text, or on a branch behind its stem."""
    mask = span_mask(q.shape[2], k.shape[2], window, q.device, causal)
    return F.scaled_dot_product_attention(
        q,
        k,
        v,
        attn_mask=mask,
        is_causal=mask is None and causal,
        dropout_p=dropout,
        scale=scaling,
        enable_gqa=q.shape[1] != k.shape[1],
    )


def span_mask(length: int, seen: int, window: int | None, device: torch.device, causal: bool = True) -> Tensor | None:
    """The mask of ``length`` queries at the end of ``seen`` keys, ``L x S`` true where attention is allowed.

    None where plain causality from the first key on says it, or where all is seen.
    """
    if (length == seen or not causal) and (window is None or window >= seen):
        return None
    return allowed(length, seen, window, device, causal)


def allowed(length: int, seen: int, window: int | None, device: torch.device, causal: bool) -> Tensor:
    """Whether each of the last ``length`` of ``seen`` places sees each, ``L x S``."""
    places = torch.arange(seen, device=device)
    distance = places[seen - length :, None] - places
    return (distance >= 0) & (distance < (window or seen)) if causal else distance.abs() < (window or seen)
