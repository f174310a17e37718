"""Rows that are right or wrong: exact tests and intervals that need no resampling."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def sign_test(wins: int, losses: int) -> float:
    """The two-sided exact binomial test of wins against losses; ties say nothing (McNemar 1947 for right and wrong)."""
    decided = wins + losses
    if decided == 0:
        return 1.0
    tail = sum(math.comb(decided, index) for index in range(min(wins, losses) + 1))
    return min(1.0, 2 * tail / 2**decided)


def wilson(right: int, count: int, confidence: float) -> tuple[float, float]:
    """The score interval of a share.

    Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference".
    """
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, width = right / count, z * z / count
    middle = (share + width / 2) / (1 + width)
    reach = z * math.sqrt(share * (1 - share) / count + width / (4 * count)) / (1 + width)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def risk_interval(base_N: np.ndarray, tuned_N: np.ndarray, confidence: float) -> tuple[float, float]:
    """An interval of tuned's share right less base's on the same rows: both Wilson intervals and their correlation.

    Source: Newcombe 1998, "Improved confidence intervals for the difference between binomial proportions based on
    paired data", method 10.

    Args:
        base_N: Whether the base is right, row by row.
        tuned_N: The same of the tuned model.
        confidence: The share of such intervals that hold the true difference.
    """
    count = len(base_N)
    both, neither = int((base_N & tuned_N).sum()), int((~base_N & ~tuned_N).sum())
    won, lost = int((~base_N & tuned_N).sum()), int((base_N & ~tuned_N).sum())
    tuned, base = (both + won) / count, (both + lost) / count
    tuned_low, tuned_high = wilson(both + won, count, confidence)
    base_low, base_high = wilson(both + lost, count, confidence)
    together = correlation(both, won, lost, neither)
    below = (tuned - tuned_low, base_high - base)
    above = (tuned_high - tuned, base - base_low)
    low, high = (math.sqrt(max(0.0, a * a - 2 * together * a * b + b * b)) for a, b in (below, above))
    return tuned - base - low, tuned - base + high


def correlation(both: int, won: int, lost: int, neither: int) -> float:
    """The correlation of the two models' rows (phi), its numerator made smaller by half of N where it is positive."""
    count = both + won + lost + neither
    margins = (both + won) * (lost + neither) * (both + lost) * (won + neither)
    if not margins:
        return 0.0
    determinant = both * neither - won * lost
    held = max(determinant - count / 2, 0) if determinant > 0 else determinant
    return held / math.sqrt(margins)
