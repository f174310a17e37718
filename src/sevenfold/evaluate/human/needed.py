"""Shares with their uncertainty, and how many judgements a clear answer takes."""

from __future__ import annotations

import math

from sevenfold.evaluate.paired import NORMAL, POWER

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

    The usual count for one share against a half, by the normal approximation; duels that end in a tie come on top.

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
    # Below six even a unanimous sign test says nothing.
    wins = max(6, math.ceil((root / away) ** 2))
    count = math.ceil(wins / decided)
    return count if count <= MOST else None
