"""Rows for a look: all of them, or some that lie evenly over the splits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sevenfold.prepare.dataset import SPLITS, Dataset, Row
from sevenfold.prepare.shelf import Shelf

Lines = list[list[str | int | float]]
"""The lines of a table."""


@dataclass(frozen=True)
class Sample:
    """Some rows of a dataset, read as they are asked for.

    Args:
        dataset: The rows.
        most: Rows that are looked at; None: all.
    """

    dataset: Dataset
    most: int | None

    @property
    def total(self) -> int:
        """Rows in all splits."""
        return sum(self.dataset.counts.values())

    @property
    def size(self) -> int:
        """Rows that are looked at."""
        return sum(self.count(split) for split in SPLITS)

    def count(self, split: str) -> int:
        """Rows of a split that are looked at: its share, but one at least where it has one."""
        rows = self.dataset.counts.get(split, 0)
        if self.most is None or self.total <= self.most:
            return rows
        return min(rows, max(1, round(self.most * rows / self.total))) if rows else 0

    def of(self, split: str) -> Iterator[Row]:
        """The rows of a split that are looked at, in order."""
        rows, count = self.dataset.counts.get(split, 0), self.count(split)
        if count == rows:
            yield from self.dataset.rows(split)
            return
        shelf = Shelf(self.dataset.path(split))
        yield from (shelf.row(place * rows // count) for place in range(count))

    def __iter__(self) -> Iterator[tuple[str, Row]]:
        for split in SPLITS:
            for row in self.of(split):
                yield split, row

    def said(self) -> str:
        """How many were looked at, in words."""
        if self.size == self.total:
            return f"all {self.total:,} rows"
        return f"{self.size:,} of {self.total:,} rows, evenly spaced"


def text_of(row: Row) -> str:
    """All that a row says."""
    return "\n".join(message.content for message in row.conversation.messages)


def reply_of(row: Row) -> str:
    """What is learnt of a row."""
    return "\n".join(message.content for message in row.conversation.messages if message.supervised)


def short(text: str, most: int = 300) -> str:
    """The beginning of a text, for a table."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def share(part: float, whole: float) -> str:
    """A part of a whole in percent; a dash where there is no whole."""
    return f"{part / whole:.1%}" if whole else "–"
