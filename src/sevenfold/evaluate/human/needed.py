"""Shares with their uncertainty, and how many judgements a clear answer takes."""

from __future__ import annotations

import math

from sevenfold.evaluate.paired import NORMAL
from sevenfold.evaluate.power import POWER

MOST = 100_000
"""Duels beyond which it is said that no number would do."""


def wilson(share: float, count: float, confidence: float = 0.95) -> tuple[float, float]:
    """The score interval of a share (Wilson 1927); a little too wide where ties count half, as they vary less.

    Args:
        share: The share, 0 to 1.
        count: Of how many; 0: nothing is known.
        confidence: The share of such intervals that hold the true one.
    """
    if count == 0:
        return 0.0, 1.0
    z = NORMAL.inv_cdf((1 + confidence) / 2)
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * math.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def duels_needed(share: float, decided: float, confidence: float = 0.95, power: float = POWER) -> int | None:
    """Duels after which the sign test finds a preference as strong as this one four times out of five.

    Counted up from the normal approximation until the exact power is there; duels that end in a tie come on top.

    Args:
        share: Of the duels that one side wins, the share of the better one.
        decided: The share of duels that do not end in a tie.
        confidence: One less the chance of a false alarm.
        power: The chance of finding it.

    Returns:
        The number; None where it is more than :data:`MOST`.
    """
    away = abs(share - 0.5)
    if away == 0 or decided == 0:
        return None
    alarm, sight = NORMAL.inv_cdf((1 + confidence) / 2), NORMAL.inv_cdf(power)
    root = 0.5 * alarm + sight * math.sqrt(max(0.0, share * (1 - share)))
    wins = math.ceil((root / away) ** 2)
    while wins <= MOST and power_of(wins, share, confidence) < power:
        wins += 1
    count = math.ceil(wins / decided)
    return count if count <= MOST else None


def power_of(count: int, share: float, confidence: float) -> float:
    """The chance that the sign test finds a share, exactly.

    Args:
        count: Duels that do not end in a tie.
        share: The true share of one side.
        confidence: One less the chance of a false alarm.
    """
    from scipy.stats import binom

    # The most wins of one side with which the test still speaks against a half.
    last = int(binom.ppf((1 - confidence) / 2, count, 0.5))
    if 2 * binom.cdf(last, count, 0.5) >= 1 - confidence:
        last -= 1
    return float(binom.cdf(last, count, share) + binom.sf(count - last - 1, count, share)) if last >= 0 else 0.0
