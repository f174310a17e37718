"""How far a student's next token is from a teacher's, for targets in chunks: no two ``N x V`` ever exist at once.

Symbols: N targets, V the student's vocabulary, K ids that both know, D hidden, p the teacher's probabilities, q the
student's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from sevenfold.tune.engine.head import chunk_of, gradient_of, logits_of
from sevenfold.tune.engine.heads import ChunkedHead, OwnHead

Teacher = Callable[[slice], Tensor]
"""The teacher's logits of some targets, float32, that nothing else refers to."""


@dataclass(frozen=True)
class Measure:
    """A divergence of two distributions.

    Args:
        beta: 0: ``KL(p || q)``, forward; 1: ``KL(q || p)``, reverse; between: ``beta KL(p || m) + (1 - beta)
            KL(q || m)`` with ``m = beta p + (1 - beta) q``, the generalised Jensen-Shannon divergence (Agarwal et al.
            2023, arXiv 2306.13649, equation 1).
        temperature: Logits are divided by it; the divergence is multiplied by its square, so that gradients keep
            their size (Hinton et al. 2015, arXiv 1503.02531).
        shared_K: The ids that both know; over these alone both are normalised. None: all.
    """

    beta: float
    temperature: float = 1.0
    shared_K: Tensor | None = None

    def of(self, student_NV: Tensor, teacher_NV: Tensor) -> tuple[Tensor, Tensor]:
        """The divergence of each target, ``N``, nats, and its gradient for the student's logits, ``N x V``."""
        said_NK, told_NK = self.logprobs(student_NV), self.logprobs(teacher_NV)
        values_N, slopes_NK = divergence(said_NK, told_NK, self.beta)
        values_N, slopes_NK = values_N * self.temperature**2, slopes_NK * self.temperature
        if self.shared_K is None:
            return values_N, slopes_NK
        return values_N, torch.zeros_like(student_NV).index_copy_(1, self.shared_K, slopes_NK)

    def logprobs(self, logits_NV: Tensor) -> Tensor:
        """Log-probabilities of the shared ids, ``N x K``, nats."""
        logits_NK = logits_NV if self.shared_K is None else logits_NV.index_select(1, self.shared_K)
        return torch.log_softmax(logits_NK / self.temperature, -1)


def divergence(said_NK: Tensor, told_NK: Tensor, beta: float) -> tuple[Tensor, Tensor]:
    """Divergences from log-probabilities, and gradients for the student's logits behind these.

    Every divergence here is ``sum_i f(p_i, q_i)``, and with ``g = df / dq`` its gradient is ``q (g - sum_i q_i g_i)``;
    a constant in g falls out. Forward: ``g = -p / q``, which leaves ``q - p``. Reverse: ``g = log q - log p``.
    Between: ``g = (1 - beta) log(q / m)``, what comes of the mixture is such a constant.

    Args:
        said_NK: The student's, nats.
        told_NK: The teacher's, nats.
        beta: As of :class:`Measure`.
    """
    said, told = said_NK.exp(), told_NK.exp()
    if beta == 0:
        return (told * (told_NK - said_NK)).sum(-1), said - told
    if beta == 1:
        gap = said_NK - told_NK
        values_N = (said * gap).sum(-1)
        return values_N, said * (gap - values_N[:, None])
    mixed_NK = torch.logaddexp(told_NK + math.log(beta), said_NK + math.log1p(-beta))
    gap = (1 - beta) * (said_NK - mixed_NK)
    student_N = (said * gap).sum(-1)
    return beta * (told * (told_NK - mixed_NK)).sum(-1) + student_N, said * (gap - student_N[:, None])


def compared(
    head: ChunkedHead | OwnHead, states_ND: Tensor, labels_N: Tensor, teacher: Teacher, measure: Measure
) -> Tensor:
    """Of each target its log-probability and the distance to the teacher.

    Equals, where the head is a plain product,
    ``log_softmax(states @ weight.T)[labels]`` beside ``measure.of(states @ weight.T, teacher's logits)``.

    Args:
        head: The student's, as the engine chose it.
        states_ND: The states from which targets are predicted.
        labels_N: The ids of the targets.
        teacher: The teacher's logits; no gradient goes there.
        measure: The divergence.

    Returns:
        ``N x 2``, float32, nats.
    """
    if isinstance(head, OwnHead):
        return torch.cat(
            [recomputed(head, states_ND, labels_N, teacher, measure, rows) for rows in places(head, labels_N)]
        )
    states_ND, weight_VD, bias_V = head.inputs(states_ND)
    moves = weight_VD.requires_grad or (bias_V is not None and bias_V.requires_grad)
    kind = MovingPair if moves else FrozenPair
    found_N2: Tensor = kind.apply(states_ND, weight_VD, bias_V, labels_N, head.cap, teacher, measure)
    return found_N2


def places(head: OwnHead, labels_N: Tensor) -> Iterator[slice]:
    """The chunks of a head that is the network's own."""
    return slices(len(labels_N), head.network.get_input_embeddings().weight.shape[0])


def slices(targets: int, vocabulary: int) -> Iterator[slice]:
    """Targets in chunks: half as many as for a head alone, as two models' logits exist together."""
    chunk = chunk_of(2 * vocabulary)
    for start in range(0, targets, chunk):
        yield slice(start, start + chunk)


def recomputed(
    head: OwnHead, states_ND: Tensor, labels_N: Tensor, teacher: Teacher, measure: Measure, rows: slice
) -> Tensor:
    """A chunk through the network's own head, which is computed again backward."""

    def plain(states: Tensor, labels: Tensor) -> Tensor:
        return both(head.logits(states), labels, teacher(rows), measure)

    found_N2: Tensor = checkpoint(plain, states_ND[rows], labels_N[rows], use_reentrant=False, preserve_rng_state=False)
    return found_N2


def both(logits_NV: Tensor, labels_N: Tensor, teacher_NV: Tensor, measure: Measure) -> Tensor:
    """The plain computation of a chunk, ``N x 2``."""
    label_N = torch.log_softmax(logits_NV, -1).gather(-1, labels_N[:, None])[:, 0]
    values_N, _ = divergence(measure.logprobs(logits_NV), measure.logprobs(teacher_NV), measure.beta)
    return torch.stack([label_N, values_N * measure.temperature**2], 1)


class FrozenPair(torch.autograd.Function):
    """:func:`compared` for a head that does not move.

    Both gradients of a target's state are known up to one number each that the backward pass brings; they are computed
    while the logits are there, so neither model's are needed again. Kept is ``2 N x D``.
    """

    @staticmethod
    def forward(
        ctx: Any,
        hidden_ND: Tensor,
        weight_VD: Tensor,
        bias_V: Tensor | None,
        labels_N: Tensor,
        cap: float | None,
        teacher: Teacher,
        measure: Measure,
    ) -> Tensor:
        """Log-probabilities and distances, ``N x 2``, nats, float32."""
        found_N2 = torch.empty(len(labels_N), 2, device=hidden_ND.device)
        slopes_2ND = hidden_ND.new_empty(2, *hidden_ND.shape) if ctx.needs_input_grad[0] else None
        for rows in slices(len(labels_N), len(weight_VD)):
            logits_NV = logits_of(hidden_ND[rows], weight_VD, bias_V, cap)
            found_N2[rows], slopes = with_slopes(logits_NV, labels_N[rows], teacher(rows), cap, measure)
            if slopes_2ND is not None:
                for kept_ND, slope_NV in zip(slopes_2ND, slopes, strict=True):
                    kept_ND[rows] = slope_NV.to(hidden_ND.dtype) @ weight_VD
        if slopes_2ND is not None:
            ctx.save_for_backward(slopes_2ND)
        return found_N2

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """The gradient of the hidden states."""
        (slopes_2ND,) = ctx.saved_tensors
        found_ND = (slopes_2ND * gradients[0].t()[..., None]).sum(0)
        return found_ND.to(slopes_2ND.dtype), None, None, None, None, None, None


class MovingPair(torch.autograd.Function):
    """:func:`compared` for a head that moves: logits are computed again in the backward pass, chunk by chunk."""

    @staticmethod
    def forward(
        ctx: Any,
        hidden_ND: Tensor,
        weight_VD: Tensor,
        bias_V: Tensor | None,
        labels_N: Tensor,
        cap: float | None,
        teacher: Teacher,
        measure: Measure,
    ) -> Tensor:
        """Log-probabilities and distances, ``N x 2``, nats, float32."""
        found_N2 = torch.empty(len(labels_N), 2, device=hidden_ND.device)
        for rows in slices(len(labels_N), len(weight_VD)):
            logits_NV = logits_of(hidden_ND[rows], weight_VD, bias_V, cap)
            found_N2[rows] = both(logits_NV, labels_N[rows], teacher(rows), measure)
        ctx.save_for_backward(hidden_ND, weight_VD, bias_V, labels_N)
        ctx.cap, ctx.teacher, ctx.measure = cap, teacher, measure
        return found_N2

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of the hidden states and of what moves in the head."""
        hidden_ND, weight_VD, bias_V, labels_N = ctx.saved_tensors
        d_hidden = torch.empty_like(hidden_ND)
        d_weight = torch.zeros_like(weight_VD, dtype=torch.float32) if ctx.needs_input_grad[1] else None
        d_bias = torch.zeros_like(bias_V, dtype=torch.float32) if ctx.needs_input_grad[2] else None
        for rows in slices(len(labels_N), len(weight_VD)):
            logits_NV = logits_of(hidden_ND[rows], weight_VD, bias_V, ctx.cap)
            _, slopes = with_slopes(logits_NV, labels_N[rows], ctx.teacher(rows), ctx.cap, ctx.measure)
            (towards_label, towards_teacher), given_N2 = slopes, gradients[0][rows]
            d_logits = towards_label.mul_(given_N2[:, :1]).add_(towards_teacher.mul_(given_N2[:, 1:]))
            if d_bias is not None:
                d_bias += d_logits.sum(0)
            small = d_logits.to(hidden_ND.dtype)
            d_hidden[rows] = small @ weight_VD
            if d_weight is not None:
                d_weight += (small.t() @ hidden_ND[rows]).float()
        d_weight = None if d_weight is None else d_weight.to(weight_VD.dtype)
        d_bias = None if d_bias is None else d_bias.to(bias_V.dtype)
        return d_hidden, d_weight, d_bias, None, None, None, None


def with_slopes(
    logits_NV: Tensor, labels_N: Tensor, teacher_NV: Tensor, cap: float | None, measure: Measure
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """A chunk's figures, ``N x 2``, and the gradient of each for what the cap was put on, ``N x V``."""
    logprobs_NV = torch.log_softmax(logits_NV, -1)
    label_N = logprobs_NV.gather(-1, labels_N[:, None])[:, 0]
    values_N, slopes_NV = measure.of(logits_NV, teacher_NV)
    capped_NV = None if cap is None else logits_NV / cap
    if capped_NV is not None:
        slopes_NV = slopes_NV * (1 - capped_NV.square())
    return torch.stack([label_N, values_N], 1), (gradient_of(logprobs_NV, labels_N, capped_NV), slopes_NV)
