"""Random: every question has the same chance; questions that are asked twice stay together."""

from __future__ import annotations

from collections import Counter

from sevenfold.prepare.splits import Index, Splitter
from sevenfold.prepare.splits._shares import Shares, by_threshold


class Random(Splitter):
    """Rows by the hash of what is asked: rows that are added later move none that were there."""

    def sides(self, index: Index, shares: Shares, seed: int) -> list[str]:
        """The side of each row's opening."""
        sides = by_threshold(Counter(index.openings), shares, seed)
        return [sides[opening] for opening in index.openings]
