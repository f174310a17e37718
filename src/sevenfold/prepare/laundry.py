"""A piece of a source's rows, cleaned wherever that may be, and what is sent back of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sevenfold.errors import DataError
from sevenfold.prepare.clean import Dropped, Keyed, Outcome, Step
from sevenfold.prepare.dataset import Row, said
from sevenfold.prepare.intake import Reader
from sevenfold.prepare.keys import content_key, hashed, opening_key
from sevenfold.prepare.packing import packed
from sevenfold.prepare.section import PrepareSection
from sevenfold.prepare.sources import RawRow, Unreadable
from sevenfold.prepare.unreadable import UNREADABLE, told
from sevenfold.prepare.wash import Tally, Wash

if TYPE_CHECKING:
    import numpy
    import pyarrow
    from numpy.typing import NDArray

PIECE = 2000
"""Rows in a piece."""
LOW = (1 << 64) - 1


@dataclass
class Piece:
    """Rows of one source that stand behind one another.

    Args:
        source: The number of the source.
        reader: How they are read.
        rows: As they stand in it.
        settled: Place to why a row goes, of those that are not read: withdrawn ones, and what is no row.
        unreadable: Place to what the source could not read, of these.
        error: What the source raised behind them.
    """

    source: int
    reader: Reader | None
    rows: list[RawRow] = field(default_factory=list)
    settled: dict[int, Dropped] = field(default_factory=dict)
    unreadable: dict[int, Unreadable] = field(default_factory=dict)
    error: Exception | None = None

    def add(self, row: RawRow, gone: Dropped | None, bad: Unreadable | None) -> None:
        """Put a row behind the others.

        Args:
            row: As it stands in the source.
            gone: Why it goes without being read, if it does.
            bad: What the source could not read of it, if this is why.
        """
        if gone is not None:
            self.settled[len(self.rows)] = gone
        if bad is not None:
            self.unreadable[len(self.rows)] = bad
        self.rows.append(row)

    def read(self, place: int) -> Outcome:
        """What the row at a place becomes.

        Raises:
            DataError: Its format cannot read it.
        """
        if place in self.settled:
            return self.settled[place]
        assert self.reader is not None
        return self.reader.read(self.rows[place])

    def __getstate__(self) -> tuple[Any, ...]:
        """What is sent elsewhere: columns of plain values, which take a fraction of the time of objects."""
        values, origins = [raw.values for raw in self.rows], [raw.origin for raw in self.rows]
        return self.source, self.reader, values, origins, self.settled, self.unreadable, self.error

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.source, self.reader, values, origins, self.settled, self.unreadable, self.error = state
        self.rows = list(map(RawRow, values, origins))


@dataclass
class Kept:
    """Rows that are left, and what the split and the limit need to know of each.

    Args:
        batch: The rows as they are stored.
        openings: What each asks.
        ranks: The order in which ``limit`` keeps them.
        labels: The value of the split's column; empty when it reads none.
    """

    batch: pyarrow.RecordBatch
    openings: NDArray[numpy.uint64]
    ranks: NDArray[numpy.uint64]
    labels: list[str]


@dataclass
class Washed:
    """What became of a piece.

    Args:
        kept: The rows that are left.
        places: Where each of these stood in the piece.
        dropped: Place, reason and line of the others.
        tally: What the steps did.
        keys: What the step behind knows the rows that are left by; shape (rows, 2), or none.
        refused: Place to what was wrong with a row that its format could not read.
        error: What was raised at the row behind the last of these.
    """

    kept: Kept
    places: NDArray[numpy.int64]
    dropped: list[tuple[int, str, str]]
    tally: Tally
    keys: NDArray[numpy.uint64] | None
    refused: dict[int, DataError]
    error: Exception | None = None


@dataclass(frozen=True)
class Plan:
    """Which steps run where.

    Args:
        apart: Steps that look at each row by itself: they run where the rows are.
        keyed: The step behind these, if it only compares keys: these are made where the rows are.
        together: All other steps: they run where every row comes by in order.
    """

    apart: list[Step]
    keyed: Keyed | None
    together: list[Step]

    @classmethod
    def of(cls, steps: Sequence[Step]) -> Plan:
        """The longest beginning of the steps whose work can be shared."""
        count = next((number for number, step in enumerate(steps) if not step.alone), len(steps))
        rest = list(steps[count:])
        first = rest[0] if rest else None
        keyed = first if isinstance(first, Keyed) else None
        return cls(list(steps[:count]), keyed, rest[1:] if keyed else rest)


@dataclass(frozen=True)
class Laundry:
    """The job: rows are read in their format, cleaned by the steps that look at each row by itself, and packed."""

    section: PrepareSection

    def start(self) -> Callable[[Piece], Washed]:
        """Start the steps."""
        plan = Plan.of(self.section.clean)
        wash = Wash(plan.apart, hiding=self.section.clean)
        return lambda piece: washed(piece, self.section, wash, plan.keyed)


def washed(piece: Piece, section: PrepareSection, wash: Wash, keyed: Keyed | None) -> Washed:
    """Clean a piece; an error is kept, so that it is raised when its row's turn has come."""
    import numpy

    rows, places, dropped, refused, error = [], [], [], {}, None
    for place, raw in enumerate(piece.rows):
        try:
            try:
                read = piece.read(place)
            except DataError as wrong:
                refused[place], read = wrong, Dropped(UNREADABLE, wrong.problem)
            result = wash.put_through(read)
        except Exception as found:  # noqa: BLE001 - raised again when its row's turn has come
            error = found
            break
        if isinstance(result, Row):
            rows.append(result)
            places.append(place)
        else:
            dropped.append((place, result.reason, dropped_line(raw, read, result.reason, wash)))
    contents = [content_key(row.conversation) for row in rows]
    return Washed(
        kept_of(rows, section, contents),
        numpy.array(places, dtype=numpy.int64),
        dropped,
        wash.handed_over(),
        halves(keyed.keys(rows, contents)) if keyed else None,
        refused,
        error or piece.error,
    )


def kept_of(rows: list[Row], section: PrepareSection, contents: list[int]) -> Kept:
    """Rows packed, with what the split and the limit need to know of them; ``contents`` are their content keys."""
    import numpy

    split = section.split
    seed, column = str(split.seed), split.how.column
    ranks = [hashed((seed, "limit", str(content))) for content in contents]
    return Kept(
        packed(rows),
        numpy.array([opening_key(row.conversation) for row in rows], dtype=numpy.uint64),
        numpy.array(ranks, dtype=numpy.uint64),
        [row.fields[column] for row in rows] if column else [],
    )


def halves(keys: list[int]) -> NDArray[numpy.uint64]:
    """128-bit keys as two numbers each."""
    import numpy

    return numpy.array([(key & LOW, key >> 64) for key in keys], dtype=numpy.uint64).reshape(-1, 2)


def dropped_line(raw: RawRow, read: Outcome, reason: str, wash: Wash) -> str:
    """A dropped row: its reason, its place, and what it says or, when that could not be read, its columns.

    What a step masks in the rows that stay is masked here too.
    """
    content: dict[str, Any] = said(read) if isinstance(read, Row) else {"values": raw.values}
    if isinstance(read, Dropped) and read.problem:
        content = told(raw.values, read, wash.hidden)
    content = wash.hidden(content)
    return json.dumps({"reason": reason, "origin": raw.origin, **content}, ensure_ascii=False, default=str) + "\n"
