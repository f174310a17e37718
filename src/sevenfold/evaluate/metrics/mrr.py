"""How near a question's own text is among all."""

from __future__ import annotations

from typing import ClassVar

from sevenfold.evaluate.metrics import Better, RankMetric


class Mrr(RankMetric):
    """Mean reciprocal rank of each row's own text among all held-out texts; 0 to 1, higher is better.

    ``mean of 1 / rank``: 1 where every own text is the nearest, 1/2 where each is the second.
    """

    better: ClassVar[Better] = "higher"
    unit: ClassVar[str] = "ratio"
    high: ClassVar[float] = 1.0

    def value(self, rank: float) -> float:
        """One over the rank."""
        return 1 / rank
