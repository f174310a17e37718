"""The true similarities of rows that share a band, and what follows from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from sevenfold.prepare.dataset import DESIRABLE, REJECTED, Row
from sevenfold.prepare.overlap.buckets import Buckets
from sevenfold.prepare.overlap.gathering import Gathering
from sevenfold.prepare.overlap.settings import NearDuplicates
from sevenfold.prepare.overlap.shingles import Text, alike, texts_of
from sevenfold.prepare.overlap.signing import joined
from sevenfold.prepare.overlap.twins import Twin
from sevenfold.prepare.overlap.words import words_of
from sevenfold.prepare.shelf import Shelf
from sevenfold.prepare.union import Union

AHEAD = 256
"""Rows that are read at a time."""
REMEMBERED = 2048
"""Rows whose shingles stay in memory while others are compared with them."""


class Words:
    """A row as it is compared; what is not asked for is not made.

    Args:
        shelf: The rows.
        number: The row's number.
        whole: The words of all its messages, and of a rejected answer.
    """

    def __init__(self, shelf: Shelf, number: int, whole: Text) -> None:
        self.shelf, self.number, self.whole = shelf, number, whole

    @cached_property
    def row(self) -> Row:
        """The row, which few comparisons need."""
        return self.shelf.row(self.number)

    @cached_property
    def answer(self) -> str:
        """What is learnt from it, and a rejected answer."""
        said = [message.content for message in self.row.conversation.messages if message.supervised]
        return "\n".join([*said, self.row.fields.get(REJECTED, "")])

    @cached_property
    def learnt(self) -> Text:
        """The words of that."""
        return Text(words_of(self.answer))

    @property
    def judged(self) -> str | None:
        """What is said of its answer."""
        return self.row.fields.get(DESIRABLE)


class ReadAhead:
    """Rows in the order in which they are compared, read some at a time; few are remembered.

    Args:
        shelf: The rows.
        rows: Their numbers in that order.
    """

    def __init__(self, shelf: Shelf, rows: list[int]) -> None:
        self.shelf, self.rows = shelf, list(dict.fromkeys(rows))
        self.places = {row: place for place, row in enumerate(self.rows)}
        self.read, self.known = 0, dict[int, Words]()

    def __getitem__(self, row: int) -> Words:
        while row not in self.known:
            if self.places[row] < self.read:  # It was forgotten meanwhile.
                self.take([row])
            else:
                self.take(self.rows[self.read : self.read + AHEAD])
                self.read += AHEAD
        return self.known[row]

    def take(self, rows: list[int]) -> None:
        """Read some rows, and forget the oldest."""
        said = [words_of(joined(*self.shelf.said(row))) for row in rows]
        self.known.update((row, Words(self.shelf, row, whole)) for row, whole in zip(rows, texts_of(said), strict=True))
        for row in list(self.known)[: max(0, len(self.known) - REMEMBERED)]:
            del self.known[row]


@dataclass
class Compared:
    """What was found among some rows.

    Args:
        clusters: Those that are near-duplicates.
        twins: Those that are dropped, each with the one that stays.
        overflowed: How often a row met more than are remembered.
    """

    clusters: Union[int] = field(default_factory=Union)
    twins: dict[int, Twin] = field(default_factory=dict)
    overflowed: int = 0


@dataclass(frozen=True)
class Compare:
    """The job: the rows of each gathering are compared.

    Args:
        path: The staged rows.
        settings: From which similarity, and whether all but one are dropped.
    """

    path: Path
    settings: NearDuplicates

    def start(self) -> Callable[[Gathering], Compared]:
        """Open the rows."""
        shelf = Shelf(self.path)
        return lambda gathering: Comparing(shelf, self.settings, gathering).compared()


class Comparing:
    """The comparison of one gathering.

    Args:
        shelf: The rows.
        settings: From which similarity, and whether all but one are dropped.
        gathering: Who may be alike.
    """

    def __init__(self, shelf: Shelf, settings: NearDuplicates, gathering: Gathering) -> None:
        self.settings, self.rows, self.found = settings, gathering.rows.tolist(), Compared()
        self.buckets = Buckets(gathering.signatures, gathering.least)
        self.words = ReadAhead(shelf, self.rows)

    def compared(self) -> Compared:
        """Each row meets those before it that share a band with it and stay."""
        for text, row in enumerate(self.rows):
            if mates := self.buckets.mates(text):
                self.meet(row, sorted({self.rows[mate] for mate in mates} - {row}))
            if row not in self.found.twins:
                self.buckets.add(text)
        self.found.overflowed = self.buckets.overflowed
        return self.found

    def meet(self, row: int, others: list[int]) -> None:
        """Compare a row with some before it; it is dropped for the most similar of those that teach the same."""
        best: Twin | None = None
        for other in others:
            if self.settled(row, other):
                continue
            found = alike(self.words[row].whole, self.words[other].whole)
            if found < self.settings.threshold:
                continue
            self.found.clusters.join(row, other)
            if self.settings.drop and (best is None or found > best.similarity) and self.teaches(row, other):
                best = Twin(other, found)
        if best is not None:
            self.found.twins[row] = best

    def settled(self, row: int, other: int) -> bool:
        """Whether nothing is to be learnt from comparing two rows: one is dropped, or both stay and are together."""
        if self.settings.drop:
            return row in self.found.twins or other in self.found.twins
        return self.found.clusters.root(row) == self.found.clusters.root(other)

    def teaches(self, row: int, other: int) -> bool:
        """Whether two near-duplicates teach nearly the same: two answers to one question do not."""
        one, two = self.words[row], self.words[other]
        if one.judged != two.judged:
            return False
        return one.answer == two.answer or alike(one.learnt, two.learnt) >= self.settings.threshold
