"""The head, computed only for targets and in chunks: the logits of a batch never exist at once."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

LOGITS = 2**22
"""Logits that exist together: 16 MB in float32. The C library's allocator gives blocks above 32 MB back to the system
at once and pays for every page again the next time."""


def chunk_of(vocabulary: int) -> int:
    """Targets whose logits exist together."""
    return max(16, LOGITS // vocabulary)


class TargetLogprobs(torch.autograd.Function):
    """The log-probability of each label: ``log_softmax(logits)[label]``.

    Logits are ``h W^T``, perhaps plus a bias, perhaps capped as ``cap * tanh(logits / cap)`` (Gemma 2, arXiv
    2408.00118). Equals, where neither is given,
    ``torch.log_softmax((hidden_ND @ weight_VD.T).float(), -1).gather(-1, labels_N[:, None])[:, 0]``. Logits are
    computed again in the backward pass, chunk by chunk; kept are the inputs and one number a target.
    """

    @staticmethod
    def forward(
        ctx: Any,
        hidden_ND: Tensor,
        weight_VD: Tensor,
        labels_N: Tensor,
        bias_V: Tensor | None = None,
        cap: float | None = None,
    ) -> Tensor:
        """Log-probabilities, nats, float32."""
        logprobs, normalizers = [], []
        chunk = chunk_of(len(weight_VD))
        for hidden, labels in zip(hidden_ND.split(chunk), labels_N.split(chunk), strict=True):
            logits = logits_of(hidden, weight_VD, bias_V, cap)
            normalizer = torch.logsumexp(logits, dim=-1)
            logprobs.append(logits.gather(-1, labels[:, None])[:, 0] - normalizer)
            normalizers.append(normalizer)
        ctx.save_for_backward(hidden_ND, weight_VD, labels_N, bias_V, torch.cat(normalizers))
        ctx.cap = cap
        return torch.cat(logprobs)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """``d logp / d logits = onehot - softmax``; gradients of the hidden states and of what moves in the head."""
        hidden_ND, weight_VD, labels_N, bias_V, normalizers_N = ctx.saved_tensors
        d_hidden = torch.empty_like(hidden_ND)
        d_weight = torch.zeros_like(weight_VD, dtype=torch.float32) if ctx.needs_input_grad[1] else None
        d_bias = torch.zeros_like(bias_V, dtype=torch.float32) if any(ctx.needs_input_grad[3:4]) else None
        chunk = chunk_of(len(weight_VD))
        for start in range(0, len(labels_N), chunk):
            rows = slice(start, start + chunk)
            logits = logits_of(hidden_ND[rows], weight_VD, bias_V, ctx.cap)
            slope = None if ctx.cap is None else 1 - (logits / ctx.cap).square_()
            probabilities = logits.sub_(normalizers_N[rows, None]).exp_()
            d_logits = probabilities.mul_(-gradients[0][rows, None])
            d_logits.scatter_add_(1, labels_N[rows, None], gradients[0][rows, None])
            if slope is not None:
                d_logits.mul_(slope)
            if d_bias is not None:
                d_bias += d_logits.sum(0)
            small = d_logits.to(hidden_ND.dtype)
            d_hidden[rows] = small @ weight_VD
            if d_weight is not None:
                d_weight += (small.t() @ hidden_ND[rows]).float()
        d_weight = None if d_weight is None else d_weight.to(weight_VD.dtype)
        d_bias = None if d_bias is None else d_bias.to(bias_V.dtype)
        return d_hidden, d_weight, None, d_bias, None


def logits_of(hidden_ND: Tensor, weight_VD: Tensor, bias_V: Tensor | None, cap: float | None) -> Tensor:
    """Logits of some states, ``N x V``, float32, that nothing else refers to."""
    product = hidden_ND @ weight_VD.t() if bias_V is None else torch.addmm(bias_V, hidden_ND, weight_VD.t())
    logits = product.float()
    return logits if cap is None else logits.div_(cap).tanh_().mul_(cap)
