"""Attention that never crosses a document, through transformers' public attention interface."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from sevenfold.generate.products import LONGEST, causal_mask, fused
from sevenfold.tune.engine import short

NAME = "sevenfold_documents"


def register() -> str:
    """Make the implementation known to transformers; gives the name to build a network with.

    No mask function is registered beside it, which tells transformers to build no mask.
    """
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, attend)
    return NAME


def attend(  # noqa: PLR0913 (transformers decides what an attention function takes)
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    scaling: float | None = None,
    dropout: float = 0.0,
    document_spans: list[list[int]] | None = None,
    sliding_window: int | None = None,
    is_causal: bool | None = None,
    **others: Any,
) -> tuple[Tensor, None]:
    """Attention inside each document of a packed row, causal or in both directions.

    Equals ``scaled_dot_product_attention`` over the whole row with the mask "same span, or the stem that it continues,
    and not later (and inside the sliding window)", at the cost of the documents' own squares; where attention goes in
    both directions, without "not later".

    Args:
        module: The attention layer.
        query: ``1 x H x T x D``.
        key: ``1 x G x T x D`` with G key-value heads, H a multiple of G.
        value: ``1 x G x T x D``.
        attention_mask: None; documents say all there is to say.
        scaling: Factor of the scores; None: ``1 / sqrt(D)``.
        dropout: Share of attention weights dropped.
        document_spans: :attr:`sevenfold.tune.engine.passes.Pass.spans`.
        sliding_window: Tokens that a position sees before it, itself included; None: all before it. In both
            directions, as many behind it.
        is_causal: Whether no position sees a later one; None: as the layer says of itself, else yes.
        **others: What other implementations take; a score cap or attention sinks are refused.

    Returns:
        ``1 x T x H x D`` and None.

    Raises:
        NotImplementedError: The layer asks for something that this implementation does not do.
    """
    for name in ("softcap", "s_aux", "position_bias"):
        if others.get(name) is not None:
            raise NotImplementedError(f"attention with {name}")
    if document_spans is None or attention_mask is not None or query.shape[0] != 1:
        raise NotImplementedError("attention without document spans")
    # Under autocast, rotated queries and keys come in float32 beside values in the run's precision.
    query, key = query.to(value.dtype), key.to(value.dtype)
    scaling = scaling or query.shape[-1] ** -0.5
    causal = getattr(module, "is_causal", True) if is_causal is None else is_causal
    pieces = []
    for start, end, low, high in document_spans:
        seen = [part[:, :, start:end] for part in (key, value)]
        if high > low:
            seen = [torch.cat([whole[:, :, low:high], part], 2) for whole, part in zip((key, value), seen, strict=True)]
        own, (k, v), length = query[:, :, start:end], seen, end - start + high - low
        if query.device.type == "cpu" and not dropout and length <= LONGEST:
            mask = causal_mask(end - start, length, sliding_window, query.dtype, causal)
            pieces.append(short.ShortAttention.apply(own, k, v, mask, scaling))
        else:
            pieces.append(fused(own, k, v, sliding_window, dropout, scaling, causal))
    return torch.cat(pieces, dim=2).transpose(1, 2), None
