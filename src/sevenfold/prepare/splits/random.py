"""Random: every question has the same chance; questions that are asked twice stay together."""

from __future__ import annotations

from collections.abc import Sequence

from sevenfold.prepare.splits import Index, Splitter
from sevenfold.prepare.splits._shares import Shares, of_openings


class Random(Splitter):
    """Rows by the hash of what is asked: rows that are added later move none that were there."""

    def sides(self, index: Index, shares: Shares, seed: int) -> Sequence[str]:
        """The side of each row's opening."""
        return of_openings(index.openings, shares, seed)
