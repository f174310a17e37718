"""Attention inside a short document as plain matrix products.

A CPU does them several times faster than torch's fused kernel does its backward pass.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from sevenfold.generate.products import attention_weights, grouped

KEPT = 256
"""Tokens up to which the attention weights are kept for the backward pass, ``H L`` numbers a token; above they are
computed again there."""


class ShortAttention(torch.autograd.Function):
    """``softmax(scaling Q K^T + mask) V`` of one document.

    Equals ``scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=scaling, enable_gqa=True)``. The heads that
    share keys and values are laid behind one another, so that each group is one product and nothing is repeated.

    Shapes: q is ``1 x H x L x D``; k and v are ``1 x G x S x D``, their last L places those of q; the mask is
    ``L x S``, zero where attention is allowed and minus infinity elsewhere.
    """

    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor, mask_LS: Tensor, scaling: float) -> Tensor:
        """The heads' outputs, ``1 x H x L x D``."""
        weights = attention_weights(q, k, mask_LS, scaling)
        ctx.save_for_backward(q, k, v, mask_LS, weights if k.shape[2] <= KEPT else None)
        ctx.scaling = scaling
        return torch.bmm(weights, v[0]).view(q.shape)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of q, k and v."""
        q, k, v, mask_LS, weights = ctx.saved_tensors
        if weights is None:
            weights = attention_weights(q, k, mask_LS, ctx.scaling)
        d_out = grouped(gradients[0], k)
        d_v = torch.bmm(weights.transpose(1, 2), d_out)
        d_weights = torch.bmm(d_out, v[0].transpose(1, 2))
        # One pass of ``P (dP - sum(P dP))``.
        d_scores = torch.ops.aten._softmax_backward_data(d_weights, weights, -1, weights.dtype).mul_(ctx.scaling)
        d_q = torch.bmm(d_scores, k[0]).view(q.shape)
        d_k = torch.bmm(d_scores.transpose(1, 2), grouped(q, k))
        return d_q, d_k[None], d_v[None], None, None
