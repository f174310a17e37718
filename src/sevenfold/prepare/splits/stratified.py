"""Stratified: every value of a column has the same share on each side."""

from __future__ import annotations

from collections import Counter, defaultdict

from pydantic import Field

from sevenfold.prepare.splits import Index, Splitter
from sevenfold.prepare.splits._shares import Shares, by_rank, quotas


class Stratified(Splitter):
    """The shares hold within each value of a column, as near as whole questions allow."""

    main = "by"
    by: str = Field(description="The column, for example a label.")

    @property
    def column(self) -> str | None:
        """The column of the strata."""
        return self.by

    def sides(self, index: Index, shares: Shares, seed: int) -> list[str]:
        """The side of each row's opening; an opening that stands under several values counts with the first by name."""
        stratum: dict[int, str] = {}
        for opening, label in zip(index.openings, index.labels, strict=True):
            stratum[opening] = min(label, stratum.get(opening, label))
        strata: defaultdict[str, dict[int, int]] = defaultdict(dict)
        for opening, count in Counter(index.openings).items():
            strata[stratum[opening]][opening] = count
        # By name, for of equal remainders the first gets the row, whatever order the rows come in.
        parts = [sizes for _, sizes in sorted(strata.items())]
        rows = [sum(sizes.values()) for sizes in parts]
        wanted = {side: quotas(rows, share) for side, share in shares.wanted().items()}
        sides: dict[int, str] = {}
        for number, sizes in enumerate(parts):
            sides.update(by_rank(sizes, {side: counts[number] for side, counts in wanted.items()}, seed))
        return [sides[opening] for opening in index.openings]
