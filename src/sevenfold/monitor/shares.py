"""Is a share of bad requests above what is allowed, or can chance explain it? An exact binomial test."""

from __future__ import annotations

import math

ALPHA = 0.01
"""The share of healthy windows, at the edge of what is allowed, in which a check may raise a false alarm."""


def chance_of(bad: int, total: int, allowed: float) -> float:
    """How likely so many bad ones are when the true share is the allowed one (``scipy.stats.binomtest``).

    A share is never judged alone: one error among three requests is 33 % and means nothing.

    Args:
        bad: Bad requests.
        total: All requests, at least one.
        allowed: The share that is allowed.
    """
    from scipy.stats import binomtest

    return float(binomtest(bad, total, allowed, alternative="greater").pvalue)


def needed(allowed: float) -> int:
    """The smallest number of requests in which an alarm is possible at all, if every one is bad."""
    if allowed == 0:
        return 1
    return max(1, math.floor(math.log(ALPHA) / math.log(allowed)) + 1)
