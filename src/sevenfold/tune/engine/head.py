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


def target_logprobs(
    hidden_ND: Tensor, weight_VD: Tensor, labels_N: Tensor, bias_V: Tensor | None = None, cap: float | None = None
) -> Tensor:
    """The log-probability of each label: ``log_softmax(logits)[label]``.

    Logits are ``h W^T``, perhaps plus a bias, perhaps capped as ``cap * tanh(logits / cap)`` (Gemma 2, arXiv
    2408.00118). Equals, where neither is given,
    ``torch.log_softmax((hidden_ND @ weight_VD.T).float(), -1).gather(-1, labels_N[:, None])[:, 0]``.

    Returns:
        Log-probabilities, ``N``, float32, nats.
    """
    moves = weight_VD.requires_grad or (bias_V is not None and bias_V.requires_grad)
    kind = MovingHead if moves else FrozenHead
    logprobs_N: Tensor = kind.apply(hidden_ND, weight_VD, labels_N, bias_V, cap)
    return logprobs_N


class FrozenHead(torch.autograd.Function):
    """:func:`target_logprobs` for a head that does not move.

    The gradient of a target's state is ``(onehot - softmax) W`` times one number that the backward pass brings. It is
    computed while the logits are there, so they are needed only once; kept is what it gives, ``N x D``.
    """

    @staticmethod
    def forward(
        ctx: Any, hidden_ND: Tensor, weight_VD: Tensor, labels_N: Tensor, bias_V: Tensor | None, cap: float | None
    ) -> Tensor:
        """Log-probabilities, nats, float32."""
        logprobs, slopes = [], []
        chunk = chunk_of(len(weight_VD))
        for hidden, labels in zip(hidden_ND.split(chunk), labels_N.split(chunk), strict=True):
            logits = logits_of(hidden, weight_VD, bias_V, cap)
            logprobs_NV = torch.log_softmax(logits, -1)
            logprobs.append(logprobs_NV.gather(-1, labels[:, None])[:, 0])
            if ctx.needs_input_grad[0]:
                d_logits = gradient_of(logprobs_NV, labels, None if cap is None else logits / cap)
                slopes.append(d_logits.to(hidden.dtype) @ weight_VD)
        if slopes:
            ctx.save_for_backward(torch.cat(slopes))
        return torch.cat(logprobs)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """The gradient of the hidden states."""
        (slopes_ND,) = ctx.saved_tensors
        return (slopes_ND * gradients[0][:, None]).to(slopes_ND.dtype), None, None, None, None


class MovingHead(torch.autograd.Function):
    """:func:`target_logprobs` for a head that moves.

    Its gradient needs the numbers that the backward pass brings, so logits are computed again there, chunk by chunk;
    kept are the inputs and one number a target.
    """

    @staticmethod
    def forward(
        ctx: Any, hidden_ND: Tensor, weight_VD: Tensor, labels_N: Tensor, bias_V: Tensor | None, cap: float | None
    ) -> Tensor:
        """Log-probabilities, nats, float32."""
        logprobs = []
        chunk = chunk_of(len(weight_VD))
        for hidden, labels in zip(hidden_ND.split(chunk), labels_N.split(chunk), strict=True):
            logprobs_NV = torch.log_softmax(logits_of(hidden, weight_VD, bias_V, cap), -1)
            logprobs.append(logprobs_NV.gather(-1, labels[:, None])[:, 0])
        ctx.save_for_backward(hidden_ND, weight_VD, labels_N, bias_V)
        ctx.cap = cap
        return torch.cat(logprobs)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of the hidden states and of what moves in the head."""
        hidden_ND, weight_VD, labels_N, bias_V = ctx.saved_tensors
        d_hidden = torch.empty_like(hidden_ND)
        d_weight = torch.zeros_like(weight_VD, dtype=torch.float32) if ctx.needs_input_grad[1] else None
        d_bias = torch.zeros_like(bias_V, dtype=torch.float32) if ctx.needs_input_grad[3] else None
        chunk = chunk_of(len(weight_VD))
        for start in range(0, len(labels_N), chunk):
            rows = slice(start, start + chunk)
            logits = logits_of(hidden_ND[rows], weight_VD, bias_V, ctx.cap)
            capped = None if ctx.cap is None else logits / ctx.cap
            d_logits = gradient_of(torch.log_softmax(logits, -1), labels_N[rows], capped)
            d_logits.mul_(gradients[0][rows, None])
            if d_bias is not None:
                d_bias += d_logits.sum(0)
            small = d_logits.to(hidden_ND.dtype)
            d_hidden[rows] = small @ weight_VD
            if d_weight is not None:
                d_weight += (small.t() @ hidden_ND[rows]).float()
        d_weight = None if d_weight is None else d_weight.to(weight_VD.dtype)
        d_bias = None if d_bias is None else d_bias.to(bias_V.dtype)
        return d_hidden, d_weight, None, d_bias, None


def gradient_of(logprobs_NV: Tensor, labels_N: Tensor, capped_NV: Tensor | None) -> Tensor:
    """``d logp[label] / d logits = onehot - softmax``, behind a cap times ``1 - tanh^2``; in the place of the input."""
    gradient_NV = logprobs_NV.exp_().neg_()
    gradient_NV.scatter_add_(1, labels_N[:, None], gradient_NV.new_ones(len(labels_N), 1))
    return gradient_NV if capped_NV is None else gradient_NV.mul_(1 - capped_NV.square_())


def logits_of(hidden_ND: Tensor, weight_VD: Tensor, bias_V: Tensor | None, cap: float | None) -> Tensor:
    """Logits of some states, ``N x V``, float32, that nothing else refers to."""
    product = hidden_ND @ weight_VD.t() if bias_V is None else torch.addmm(bias_V, hidden_ND, weight_VD.t())
    logits = product.float()
    return logits if cap is None else logits.div_(cap).tanh_().mul_(cap)
