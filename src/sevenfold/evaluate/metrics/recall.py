"""How often a question's own text is among the nearest."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from sevenfold.evaluate.metrics import Better, RankMetric


class Recall(RankMetric):
    """Share of rows whose own text is among the ``k`` nearest of all held-out texts; 0 to 1, higher is better.

    By how much its own text wins or loses is not counted; ``mrr`` counts the rank.
    """

    better: ClassVar[Better] = "higher"
    unit: ClassVar[str] = "share of rows"
    high: ClassVar[float] = 1.0
    binary: ClassVar[bool] = True

    k: int = Field(5, ge=1, description="How many of the nearest are looked at.")

    def value(self, rank: float) -> float:
        """1 where it is among them."""
        return float(rank <= self.k)
