"""Covered: what is held out is made of parts that stay in training: new compositions, no new facts."""

from __future__ import annotations

from collections import Counter, defaultdict

from pydantic import Field

from sevenfold.prepare.splits import Index, Splitter
from sevenfold.prepare.splits._shares import Shares, position


class Covered(Splitter):
    """The test asks for what can be composed from the training rows: every part of a held-out row stays in training.

    A column lists each row's parts, for example the words of a date and the way it is asked for. Rows are taken in
    the order of their hash; one whose part would leave training with it is passed over. Fewer rows than asked are
    held out when no more can be spared. The source `cldr` writes such a column.
    """

    main = "by"
    by: str = Field(description="The column that lists each row's parts.")
    separator: str = Field("|", min_length=1, description="What stands between two parts.")
    least: int = Field(1, ge=1, description="Training rows that keep each part of a held-out row, at least.")

    @property
    def column(self) -> str | None:
        """The column of the parts."""
        return self.by

    def sides(self, index: Index, shares: Shares, seed: int) -> list[str]:
        """The side of each row's opening."""
        parts: defaultdict[int, Counter[str]] = defaultdict(Counter)
        for opening, label in zip(index.openings, index.labels, strict=True):
            parts[opening].update(set(label.split(self.separator)))
        sizes = Counter(index.openings)
        left = sum(parts.values(), Counter[str]())
        line = sorted(sizes, key=lambda opening: (position(seed, opening), opening))
        sides: dict[int, str] = {}
        for side, share in shares.wanted().items():
            wanted = int(share) if share >= 1 else round(share * sizes.total())
            for opening in line if side == "test" else reversed(line):
                if wanted <= 0:
                    break
                if opening not in sides and self.spared(parts[opening], left):
                    left.subtract(parts[opening])
                    sides[opening] = side
                    wanted -= sizes[opening]
        return [sides.get(opening, "train") for opening in index.openings]

    def spared(self, parts: Counter[str], left: Counter[str]) -> bool:
        """Whether enough training rows keep each part when these rows are taken away."""
        return all(left[part] - rows >= self.least for part, rows in parts.items())
