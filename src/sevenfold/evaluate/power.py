"""How small a difference so many rows can show: said before anything is asked, and again when the spread is known."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from sevenfold.evaluate.shares import sign_test

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sevenfold.evaluate.metrics import Metric

POWER = 0.8
"""The chance of finding a difference of the stated size."""


def detectable_mean(error: float, count: int, alpha: float) -> float:
    """The smallest true difference of means that is found with :data:`POWER`.

    ``(t(1 - alpha/2) + t(POWER)) * error``, Student's quantiles with ``count - 1`` degrees of freedom, the error
    widened by ``sqrt(N / (N - 1))`` as the interval is.

    Args:
        error: The standard error of the difference, as resampling gives it.
        count: Rows.
        alpha: The level of the test.
    """
    if count < 2:
        return 0.0
    from scipy.special import stdtrit

    quantiles = stdtrit(count - 1, 1 - alpha / 2) + stdtrit(count - 1, POWER)
    return float(quantiles) * error * math.sqrt(count / (count - 1))


def detectable_share(count: int, decided: float, alpha: float) -> float:
    """The smallest true difference of shares right that McNemar's exact test finds with :data:`POWER`.

    Args:
        count: Rows.
        decided: The share of rows on which one model alone is right. A difference above it has no losses: then all
            decided rows are wins.
        alpha: The level of the test.

    Returns:
        The difference; 1 where no difference is found so often.
    """
    low, high = 0.0, 1.0
    for _ in range(18):
        middle = (low + high) / 2
        low, high = (low, middle) if power_of_share(count, decided, middle, alpha) >= POWER else (middle, high)
    return high


def power_of_share(count: int, decided: float, difference: float, alpha: float) -> float:
    """How often McNemar's exact test finds a true difference of shares.

    The number of decided rows is binomial, and of these the wins are: each number of decided rows has its own smallest
    number of wins that the test calls clear.

    Args:
        count: Rows.
        decided: The share of decided rows; at least the difference.
        difference: The share of wins less that of losses.
        alpha: The level of the test.
    """
    from scipy.special import bdtrc, gammaln, xlog1py, xlogy

    decided = min(1.0, max(decided, difference))
    spread = 6 * math.sqrt(count * decided * (1 - decided)) + 1
    first, last = max(0, math.floor(count * decided - spread)), min(count, math.ceil(count * decided + spread))
    numbers = np.arange(first, last + 1)
    needed = np.array([clear_wins(int(number), alpha) for number in numbers])
    found = bdtrc(needed - 1, numbers, (1 + difference / decided) / 2 if decided else 0.5)
    ways = gammaln(count + 1) - gammaln(numbers + 1) - gammaln(count - numbers + 1)
    chances = np.exp(ways + xlogy(numbers, decided) + xlog1py(count - numbers, -decided))
    return float((chances * found).sum())


@lru_cache(maxsize=100_000)
def clear_wins(decided: int, alpha: float) -> int:
    """The fewest wins among decided rows that the sign test calls clear; one more than there are where none is."""
    low, high = decided // 2, decided + 1
    while low < high:
        middle = (low + high) // 2
        clear = 2 * middle > decided and sign_test(middle, decided - middle) < alpha
        low, high = (low, middle) if clear else (middle + 1, high)
    return low


def promise(metrics: Sequence[tuple[str, Metric]], count: int, alpha: float) -> list[str]:
    """What so many rows can show, in sentences, before any model is asked.

    Nothing is known of the answers yet. Of rows right or wrong both ends are known: a change that only wins shows
    soonest, and two models that are right independently of each other, each on half of the rows, show it latest. Of
    other figures only the spread of the rows' own changes is a measure.

    Args:
        metrics: Name and metric.
        count: Rows.
        alpha: The level of each test.
    """
    said = []
    shares = [name for name, metric in metrics if metric.binary]
    if shares:
        soonest, latest = detectable_share(count, 0.0, alpha), detectable_share(count, 0.5, alpha)
        said.append(
            f"with {count} rows {listed(shares)} must change by {soonest:.2f} to show if no row gets worse, and by "
            f"{latest:.2f} if both models are right on half of the rows, each on its own"
        )
    others = [name for name, metric in metrics if not metric.binary]
    if others:
        spreads = detectable_mean(1 / math.sqrt(count), count, alpha)
        said.append(
            f"with {count} rows {listed(others)} must change by {spreads:.2f} times the standard deviation of the "
            "rows' own changes"
        )
    return said


def listed(names: Sequence[str]) -> str:
    """Names as a list in a sentence."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
