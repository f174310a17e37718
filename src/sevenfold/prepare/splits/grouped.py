"""Grouped: rows that share a value of a column (an author, a document, a module) stay on one side."""

from __future__ import annotations

from collections import Counter

from pydantic import Field

from sevenfold.prepare.splits import Index, Splitter
from sevenfold.prepare.splits._shares import Shares, by_threshold
from sevenfold.prepare.union import Union


class Grouped(Splitter):
    """Whole groups are held out: the test asks about groups that were never seen.

    Groups that share a question are one group, so that the question is not parted either. Fractions are of groups;
    the rows' shares are near them when there are many groups.
    """

    main = "by"
    by: str = Field(description="The column whose values are the groups.")

    @property
    def column(self) -> str | None:
        """The column of the groups."""
        return self.by

    def sides(self, index: Index, shares: Shares, seed: int) -> list[str]:
        """The side of each row's group."""
        groups = united(index)
        names = [groups[label] for label in index.labels]
        sides = by_threshold(Counter(names), shares, seed)
        return [sides[name] for name in names]


def united(index: Index) -> dict[str, str]:
    """Group to the first name, in order of the alphabet, of all groups that share questions with it (union-find)."""
    union = Union[str]()
    group_of: dict[int, str] = {}
    for opening, label in zip(index.openings, index.labels, strict=True):
        union.join(group_of.setdefault(opening, label), label)
    return {label: union.root(label) for label in set(index.labels)}
