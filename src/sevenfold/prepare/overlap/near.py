"""Near-duplicates among the staged rows: found by MinHash, confirmed by their true Jaccard similarity."""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from sevenfold.prepare.dataset import DESIRABLE, REJECTED, Row
from sevenfold.prepare.overlap.bands import Banding, band_keys, banding
from sevenfold.prepare.overlap.buckets import Buckets
from sevenfold.prepare.overlap.settings import NearDuplicates
from sevenfold.prepare.overlap.shingles import Text, alike, signed
from sevenfold.prepare.overlap.twins import Twin, Twins
from sevenfold.prepare.overlap.words import words_of
from sevenfold.prepare.packing import NO_FIELDS
from sevenfold.prepare.places import Crew
from sevenfold.prepare.shelf import Shelf, batches
from sevenfold.prepare.union import Union

if TYPE_CHECKING:
    import numpy
    import pyarrow
    from numpy.typing import NDArray

    from sevenfold.console import Console

REMEMBERED = 2048
"""Rows whose words and shingles stay in memory while others are compared with them."""


@dataclass
class Near:
    """What is known of the rows that are alike.

    Args:
        banding: How the signatures were cut.
        clusters: Rows that are near-duplicates, directly or through others; rows without one are not in it.
        twins: The rows that are dropped, each with the one that stays.
        overflowed: How often a row met more texts than are remembered, so that a pair may have been missed.
    """

    banding: Banding
    clusters: Union[int] = field(default_factory=Union)
    twins: Twins = field(default_factory=Twins)
    overflowed: int = 0


class Words:
    """A row as it is compared; what is not asked for is not made.

    Args:
        shelf: The rows.
        number: The row's number.
    """

    def __init__(self, shelf: Shelf, number: int) -> None:
        self.shelf, self.number = shelf, number

    @cached_property
    def row(self) -> Row:
        """The row, which few comparisons need."""
        return self.shelf.row(self.number)

    @cached_property
    def whole(self) -> Text:
        """The words of all its messages, and of a rejected answer."""
        return Text(words_of(joined(*self.shelf.said(self.number))))

    @cached_property
    def learnt(self) -> Text:
        """The words of what is learnt from it, and of a rejected answer."""
        said = [message.content for message in self.row.conversation.messages if message.supervised]
        return Text(words_of("\n".join([*said, self.row.fields.get(REJECTED, "")])))

    @property
    def judged(self) -> str | None:
        """What is said of its answer."""
        return self.row.fields.get(DESIRABLE)


def joined(contents: list[str], fields: str) -> str:
    """All that a row says: its messages, and a rejected answer among its fields as they are stored."""
    return "\n".join([*contents, "" if fields == NO_FIELDS else json.loads(fields).get(REJECTED, "")])


def wholes(batch: pyarrow.RecordBatch) -> list[str]:
    """All that each row of a batch says; without making the rows."""
    messages = batch.column("messages")
    contents = messages.flatten().field("content").to_pylist()
    ends = list(accumulate(messages.value_lengths().to_pylist(), initial=0))
    fields = batch.column("fields").to_pylist()
    return [joined(contents[start:end], text) for start, end, text in zip(ends, ends[1:], fields, strict=False)]


def find_near(path: Path, settings: NearDuplicates, ranks: Sequence[int], console: Console, crew: Crew) -> Near:
    """The near-duplicates of a file of rows.

    Of each row 8 bytes a band are in memory, with the default settings 168, and while bands are compared 434 when no
    row has a twin and 861 when every row has one. Texts are read again from the file where two rows share a band.

    Args:
        path: The staged rows.
        settings: From which similarity, and whether all but one are dropped.
        ranks: For each row a number from its content, which decides between rows of equal length.
        console: Where progress goes.
        crew: Who makes the signatures.

    Returns:
        Clusters and dropped rows. Each row of a cluster is at least as similar to another of it as the settings ask,
        each dropped row to the one that stays. The longest stays, so that the order of rows does not matter.
    """
    import numpy

    near = Near(banding(settings.threshold, settings.permutations), twins=Twins(len(ranks)))
    found = Signatures()
    with console.task("near-duplicates (rows)", len(ranks)) as task:
        for signed_rows in crew.each(Sign(near.banding, settings.threshold), batches(path)):
            found.add(signed_rows)
            task.advance(len(signed_rows.lengths))
    rows, lengths = numpy.array(found.rows, dtype=numpy.int64), numpy.array(found.lengths, dtype=numpy.int64)
    buckets = Buckets(found.keys())
    order = numpy.lexsort((numpy.array(ranks, dtype=numpy.uint64)[rows], -lengths[rows]))
    compare = Comparing(Shelf(path), settings, near)
    for text in order[buckets.meeting()[order]].tolist():
        row = int(rows[text])
        if mates := buckets.mates(text):
            compare.meet(row, sorted({*rows[mates].tolist()} - {row}))
        if row not in near.twins:
            buckets.add(text)
    near.overflowed = buckets.overflowed
    return near


@dataclass
class Signed:
    """The band keys of some rows; a row near the border between characters and words has two.

    Args:
        rows: The row of each signature, counted from the first of these.
        lengths: The characters of each row's words.
        keys: Shape (signatures, bands).
    """

    rows: array[int]
    lengths: array[int]
    keys: NDArray[numpy.uint64]


@dataclass(frozen=True)
class Sign:
    """The job: batches of rows are signed.

    Args:
        cut: How signatures are cut.
        threshold: From which similarity rows are alike.
    """

    cut: Banding
    threshold: float

    def start(self) -> Callable[[pyarrow.RecordBatch], Signed]:
        """Sign each batch by itself."""
        return self.sign

    def sign(self, batch: pyarrow.RecordBatch) -> Signed:
        """One batch."""
        rows, lengths, sets = array("I"), array("I"), []
        for number, text in enumerate(wholes(batch)):
            words = words_of(text)
            for shingles in signed(words, self.threshold):
                rows.append(number)
                sets.append(shingles)
            lengths.append(sum(map(len, words)))
        return Signed(rows, lengths, band_keys(sets, self.cut))


class Signatures:
    """The band keys of every row."""

    def __init__(self) -> None:
        self.rows, self.lengths = array("I"), array("I")
        self.parts: list[NDArray[numpy.uint64]] = []

    def add(self, found: Signed) -> None:
        """Put some rows behind those that are here."""
        self.rows.extend(row + len(self.lengths) for row in found.rows)
        self.lengths.extend(found.lengths)
        self.parts.append(found.keys)

    def keys(self) -> NDArray[numpy.uint64]:
        """All band keys, which are handed over and no longer kept here."""
        import numpy

        self.parts.reverse()
        keys = numpy.empty((sum(map(len, self.parts)), self.parts[0].shape[1] if self.parts else 1), numpy.uint64)
        start = 0
        while self.parts:
            part = self.parts.pop()
            keys[start : start + len(part)] = part
            start += len(part)
        return keys


class Comparing:
    """The true similarities of rows that share a band."""

    def __init__(self, shelf: Shelf, settings: NearDuplicates, near: Near) -> None:
        self.settings, self.near = settings, near
        self.words = lru_cache(REMEMBERED)(lambda row: Words(shelf, row))

    def meet(self, row: int, others: list[int]) -> None:
        """Compare a row with some before it; it is dropped for the most similar of those that teach the same."""
        best: Twin | None = None
        for other in others:
            if self.settled(row, other):
                continue
            found = alike(self.words(row).whole, self.words(other).whole)
            if found < self.settings.threshold:
                continue
            self.near.clusters.join(row, other)
            if self.settings.drop and (best is None or found > best.similarity) and self.teaches(row, other):
                best = Twin(other, found)
        if best is not None:
            self.near.twins[row] = best

    def settled(self, row: int, other: int) -> bool:
        """Whether nothing is to be learnt from comparing two rows: one is dropped, or both stay and are together."""
        if self.settings.drop:
            return row in self.near.twins or other in self.near.twins
        return self.near.clusters.root(row) == self.near.clusters.root(other)

    def teaches(self, row: int, other: int) -> bool:
        """Whether two near-duplicates teach nearly the same: two answers to one question do not."""
        one, two = self.words(row), self.words(other)
        return one.judged == two.judged and alike(one.learnt, two.learnt) >= self.settings.threshold
