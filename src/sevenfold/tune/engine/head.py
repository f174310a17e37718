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
    """The log-probability of each label: ``log_softmax(h W^T)[label]``.

    Equals ``torch.log_softmax((hidden_ND @ weight_VD.T).float(), -1).gather(-1, labels_N[:, None])[:, 0]``. Logits are
    computed again in the backward pass, chunk by chunk; kept are the inputs and one number a target.
    """

    @staticmethod
    def forward(ctx: Any, hidden_ND: Tensor, weight_VD: Tensor, labels_N: Tensor) -> Tensor:
        """Log-probabilities, nats, float32."""
        logprobs, normalizers = [], []
        chunk = chunk_of(len(weight_VD))
        for hidden, labels in zip(hidden_ND.split(chunk), labels_N.split(chunk), strict=True):
            logits = (hidden @ weight_VD.t()).float()
            normalizer = torch.logsumexp(logits, dim=-1)
            logprobs.append(logits.gather(-1, labels[:, None])[:, 0] - normalizer)
            normalizers.append(normalizer)
        ctx.save_for_backward(hidden_ND, weight_VD, labels_N, torch.cat(normalizers))
        return torch.cat(logprobs)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """``d logp / d logits = onehot - softmax``; gradients of the hidden states and, where it moves, the weight."""
        hidden_ND, weight_VD, labels_N, normalizers_N = ctx.saved_tensors
        d_hidden = torch.empty_like(hidden_ND)
        d_weight = torch.zeros_like(weight_VD, dtype=torch.float32) if ctx.needs_input_grad[1] else None
        chunk = chunk_of(len(weight_VD))
        for start in range(0, len(labels_N), chunk):
            rows = slice(start, start + chunk)
            logits = (hidden_ND[rows] @ weight_VD.t()).float()
            probabilities = logits.sub_(normalizers_N[rows, None]).exp_()
            d_logits = probabilities.mul_(-gradients[0][rows, None])
            d_logits.scatter_add_(1, labels_N[rows, None], gradients[0][rows, None])
            small = d_logits.to(hidden_ND.dtype)
            d_hidden[rows] = small @ weight_VD
            if d_weight is not None:
                d_weight += (small.t() @ hidden_ND[rows]).float()
        return d_hidden, None if d_weight is None else d_weight.to(weight_VD.dtype), None
