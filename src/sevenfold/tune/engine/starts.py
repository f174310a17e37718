"""Where a low-rank pair begins: factors of the weight itself, or of what quantisation takes from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from sevenfold.tune.engine import bases

Pair = tuple[Tensor, Tensor]
"""A, ``R x I``, and B, ``O x R``, float32."""


def principal(weight_OI: Tensor, rank: int, scale: float, iterations: int | None) -> Pair:
    r"""A pair whose ``scale * B A`` is the weight's best approximation of a rank (PiSSA, Meng et al. 2024, 2404.02948).

    .. math:: W = U S V^T, \quad B = U_R (S_R / scale)^{1/2}, \quad A = (S_R / scale)^{1/2} V_R^T

    Args:
        weight_OI: The weight, float32.
        rank: Of the approximation.
        scale: Factor of the pair.
        iterations: Power iterations of the randomised decomposition (Halko et al. 2011, arXiv 0909.4061), which draws
            from torch's generator; None: the whole decomposition.
    """
    if weight_OI.is_meta:
        return blank(weight_OI, rank)
    if iterations is None:
        u, s, vh = torch.linalg.svd(weight_OI, full_matrices=False)
    else:
        u, s, v = torch.svd_lowrank(weight_OI, q=min(2 * rank, *weight_OI.shape), niter=iterations)
        vh = v.t()
    root_R = (s[:rank] / scale).sqrt()
    return root_R[:, None] * vh[:rank], u[:, :rank] * root_R


def orthonormal(weight_OI: Tensor, rank: int) -> Pair:
    r"""The first columns and rows of ``W = Q R`` (OLoRA, Büyükakyüz 2024, arXiv 2406.01775): B = Q_R, A = R_R.

    The first columns of Q hang on the first columns of W alone, and :math:`R_R = Q_R^T W`.
    """
    if weight_OI.is_meta:
        return blank(weight_OI, rank)
    q_OR = torch.linalg.qr(weight_OI[:, :rank]).Q
    return q_OR.t() @ weight_OI, q_OR


def loftq(
    layer: Any,
    pack: Callable[[Any], bases.Quantised],
    rank: int,
    scale: float,
    steps: int,
    iterations: int | None,
) -> tuple[Pair, Pair | None]:
    r"""A pair that gives back what quantisation takes (LoftQ, Li et al. 2023, arXiv 2310.08659, algorithm 1).

    .. math:: Q_t = q(W - scale \, B_{t-1} A_{t-1}), \quad scale \, B_t A_t \approx W - Q_t

    Args:
        layer: The layer before it is quantised.
        pack: Makes the quantised layer.
        rank: Of the pair.
        scale: Its factor.
        steps: Times that the two are found in turn.
        iterations: As of :func:`principal`.

    Returns:
        The pair, and the pair of the step before, which is taken off the weight before it is quantised; None after one
        step, where nothing is.
    """
    weight_OI = bases.dense(layer, torch.float32)
    if weight_OI.is_meta:
        return blank(weight_OI, rank), blank(weight_OI, rank) if steps > 1 else None
    pair: Pair | None = None
    for _ in range(steps):
        taken = pair
        rest_OI = weight_OI - pack(without(layer, taken, scale)).dense(torch.float32)
        pair = principal(rest_OI, rank, scale, iterations)
    assert pair is not None
    return pair, taken


def without(layer: Any, pair: Pair | None, scale: float) -> Any:
    """A layer whose weight is less ``scale * B A``; the layer itself without a pair."""
    if pair is None:
        return layer
    a_RI, b_OR = pair
    return bases.plain(layer, bases.dense(layer, torch.float32) - scale * (b_OR @ a_RI))


def blank(weight_OI: Tensor, rank: int) -> Pair:
    """A pair without values, for a network without values."""
    outputs, inputs = weight_OI.shape
    return weight_OI.new_empty(rank, inputs), weight_OI.new_empty(outputs, rank)
