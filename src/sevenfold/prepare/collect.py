"""The pass over the sources: rows are read, cleaned and staged; those that are dropped are written down."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from sevenfold.errors import DataError
from sevenfold.prepare.clean import Dropped
from sevenfold.prepare.codes import Coded
from sevenfold.prepare.dataset import Row
from sevenfold.prepare.intake import SourceFacts, reader_of, shown
from sevenfold.prepare.keys import content_key
from sevenfold.prepare.known import Known
from sevenfold.prepare.labels.given import UNLABELLED, Given
from sevenfold.prepare.labels.giving import give_labels
from sevenfold.prepare.laundry import PIECE, Kept, Laundry, Piece, Plan, Washed, dropped_line, kept_of
from sevenfold.prepare.packing import unpacked
from sevenfold.prepare.places import Crew
from sevenfold.prepare.report import DROPPED_FILE, MOST_ORIGINS, NO_REPLY
from sevenfold.prepare.section import PrepareSection
from sevenfold.prepare.shelf import batch_writer
from sevenfold.prepare.sources import Found, RawRow, Reading, Unreadable
from sevenfold.prepare.unreadable import Refusals, as_row
from sevenfold.prepare.wash import Wash
from sevenfold.prepare.withdraw import Withdrawal
from sevenfold.record import Entry, writing

if TYPE_CHECKING:
    import numpy
    import pyarrow
    from numpy.typing import NDArray

STAGED_FILE = ".staged.arrow"
MANY_DROPPED = 0.3
"""The share of dropped rows from which the user is warned."""


@dataclass
class Intake:
    """What the pass over the sources leaves behind, beside the staged rows: 16 bytes a row, 4 more with labels."""

    wash: Wash
    sources: list[SourceFacts] = field(default_factory=list)
    openings: array[int] = field(default_factory=lambda: array("Q"))
    ranks: array[int] = field(default_factory=lambda: array("Q"))
    """Which rows ``limit`` keeps: the lowest."""
    labels: Coded = field(default_factory=Coded)
    no_reply: list[str] = field(default_factory=list)
    given: Given | None = None
    """The labels that rows get as they are read."""
    rounds: int | None = None
    """How many runs test every row once; None where each run holds out the same rows."""

    @property
    def rows_in(self) -> int:
        """Rows that the sources gave."""
        return sum(facts.rows for facts in self.sources)

    def keep(self, kept: Kept) -> None:
        """Remember what the split and the limit need to know of some rows."""
        self.openings.frombytes(kept.openings.tobytes())
        self.ranks.frombytes(kept.ranks.tobytes())
        self.labels.extend(kept.labels)


def take_in(section: PrepareSection, entry: Entry, crew: Crew) -> Intake:
    """Read and clean all rows into the staged file; those that are dropped into ``dropped.jsonl``.

    Raises:
        DataError: A row cannot be read, or no row is left.
    """
    intake = Intake(Wash(section.clean), given=give_labels(section, entry) if section.label else None)
    total = sum(source.size() for source in section.source)
    with (
        writing(entry.folder / DROPPED_FILE) as dropped_path,
        dropped_path.open("w", encoding="utf-8", errors="backslashreplace") as dropped,
        batch_writer(entry.folder / STAGED_FILE) as write,
        entry.console.task("reading (bytes)", total) as task,
    ):
        reading = Reading(task.advance, entry.note, entry.warn)
        sorting = Sorting(section, intake, dropped, write)
        refusals = Refusing(section, intake, reading)
        settling = Settling(Withdrawal(section.withdraw), intake.given)
        # The rows as they were read wait here for what becomes of them; the crew has only few in work.
        waiting: deque[Piece] = deque()
        coming = remembered(pieces(section, reading, intake, settling), waiting)
        for washed in crew.each(Laundry(section), coming):
            piece = waiting.popleft()
            refusals.count(piece, washed)
            sorting.sort(piece, washed)
        refusals.finish()
        settling.withdrawal.finish(reading)
    say_missing(intake, entry)
    if not intake.openings:
        raise none_left(section, intake, entry.folder)
    return intake


def pieces(section: PrepareSection, reading: Reading, intake: Intake, settling: Settling) -> Iterator[Piece]:
    """The rows of every source, some at a time; an error of a source comes behind the rows before it."""
    for number, source in enumerate(section.source):
        facts = SourceFacts(shown(source))
        intake.sources.append(facts)
        piece = Piece(number, None)
        try:
            for raw in source.rows(reading):
                facts.rows += 1
                row, gone = settling.of(raw)
                if piece.reader is None and gone is None:
                    piece.reader = reader_of(row, section, facts, reading)
                piece.add(row, gone, raw if isinstance(raw, Unreadable) else None)
                if len(piece.rows) == PIECE:
                    yield piece
                    piece = Piece(number, piece.reader)
        except Exception as error:  # noqa: BLE001 - raised again when the rows before it are done
            piece.error = error
        if piece.rows or piece.error:
            yield piece


@dataclass(frozen=True)
class Settling:
    """What is settled of a row before it is read.

    Args:
        withdrawal: Which rows are withdrawn.
        given: The labels that rows get; those without one go.
    """

    withdrawal: Withdrawal
    given: Given | None

    def of(self, raw: Found) -> tuple[RawRow, Dropped | None]:
        """A row as it is read, or why it goes already."""
        if isinstance(raw, Unreadable):
            return as_row(raw)
        gone = self.withdrawal.of(raw)
        if gone or self.given is None:
            return gone or (raw, None)
        labelled = self.given.give(raw)
        return (labelled, None) if labelled else (raw, Dropped(UNLABELLED))


class Refusing:
    """Rows that cannot be read, source by source, counted in their order.

    Args:
        section: How many are too many.
        intake: The sources.
        reading: Told of them at a source's end.
    """

    def __init__(self, section: PrepareSection, intake: Intake, reading: Reading) -> None:
        self.section, self.intake, self.reading = section, intake, reading
        self.of: Refusals | None = None
        self.source = -1

    def count(self, piece: Piece, washed: Washed) -> None:
        """One piece.

        Raises:
            DataError: The first row of a source, or too many others, cannot be read.
        """
        if piece.source != self.source:
            self.finish()
            self.source = piece.source
            self.of = Refusals(self.intake.sources[piece.source].name, self.section.unreadable)
        assert self.of is not None
        for place in range(len(piece.rows)):
            if place in piece.unreadable:
                self.of.found(piece.unreadable[place])
            elif place in washed.refused:
                self.of.wrong(washed.refused[place])
            else:
                self.of.read += place not in piece.settled

    def finish(self) -> None:
        """Say what was refused of the source that has ended.

        Raises:
            DataError: There is too much of it.
        """
        if self.of is not None:
            self.of.finish(self.reading)
            self.of = None


def remembered(coming: Iterator[Piece], waiting: deque[Piece]) -> Iterator[Piece]:
    """The pieces, each also put behind those that wait."""
    for piece in coming:
        waiting.append(piece)
        yield piece


class Sorting:
    """What comes back of each piece: rows go to the staged file, dropped ones are written down, in their order.

    Args:
        section: The steps.
        intake: Filled in.
        dropped: Takes the lines of dropped rows.
        write: Takes the rows that are left.
    """

    def __init__(
        self,
        section: PrepareSection,
        intake: Intake,
        dropped: TextIO,
        write: Callable[[pyarrow.RecordBatch], None],
    ) -> None:
        self.section, self.intake, self.dropped, self.write = section, intake, dropped, write
        self.plan = Plan.of(section.clean)
        self.known = Known()

    def sort(self, piece: Piece, washed: Washed) -> None:
        """One piece.

        Raises:
            DataError: One of its rows, or the one behind them, could not be read.
        """
        self.intake.wash.take_over(washed.tally)
        lines = {place: (reason, line) for place, reason, line in washed.dropped}
        kept, places = washed.kept, washed.places.tolist()
        if washed.keys is not None and self.plan.keyed is not None:
            new = self.known.add(washed.keys)
            lines |= self.repeated(piece, [places[row] for row in (~new).nonzero()[0].tolist()])
            if not new.all():
                kept, places = chosen(kept, new), [places[row] for row in new.nonzero()[0].tolist()]
        if self.plan.together:
            kept = self.together(piece, kept, places, lines)
        for place in sorted(lines):
            self.drop(piece.rows[place].origin, *lines[place])
        if kept.batch.num_rows:
            self.write(kept.batch)
            self.intake.keep(kept)
        if washed.error is not None:
            raise washed.error

    def repeated(self, piece: Piece, places: list[int]) -> dict[int, tuple[str, str]]:
        """The lines of rows that the step behind met before."""
        assert self.plan.keyed is not None
        reason = self.plan.keyed.reason
        return {place: (reason, self.line(piece, place, reason)) for place in places}

    def together(self, piece: Piece, kept: Kept, places: list[int], lines: dict[int, tuple[str, str]]) -> Kept:
        """The rows that the other steps leave; those that they drop go to the lines."""
        wash, first = self.intake.wash, len(self.intake.wash.steps) - len(self.plan.together)
        rows: list[Row] = []
        for place, row in zip(places, unpacked(kept.batch), strict=True):
            result = wash.put_through(row, first)
            if isinstance(result, Row):
                rows.append(result)
            else:
                lines[place] = (result.reason, self.line(piece, place, result.reason))
        return kept_of(rows, self.section, [content_key(row.conversation) for row in rows])

    def line(self, piece: Piece, place: int, reason: str) -> str:
        """The line of a row that was dropped here; it is read once more, which few rows need."""
        return dropped_line(piece.rows[place], piece.read(place), reason, self.intake.wash)

    def drop(self, origin: str, reason: str, line: str) -> None:
        """Write a dropped row down."""
        self.intake.wash.dropped[reason] += 1
        self.dropped.write(line)
        if reason in NO_REPLY and len(self.intake.no_reply) < MOST_ORIGINS:
            self.intake.no_reply.append(origin)


def chosen(kept: Kept, which: NDArray[numpy.bool_]) -> Kept:
    """Some of the rows."""
    import pyarrow

    labels = [label for label, stays in zip(kept.labels, which.tolist(), strict=False) if stays]
    return Kept(kept.batch.filter(pyarrow.array(which)), kept.openings[which], kept.ranks[which], labels)


def say_missing(intake: Intake, entry: Entry) -> None:
    """Name the rows without a reply, and warn when many rows were dropped."""
    if intake.no_reply:
        count = sum(intake.wash.dropped[reason] for reason in NO_REPLY)
        first = ", ".join(intake.no_reply[:5]) + (", ..." if count > 5 else "")
        entry.warn(f"{count} rows have no reply to learn and were dropped: {first} (all: {DROPPED_FILE})")
    lost = intake.wash.dropped.total()
    if lost > MANY_DROPPED * intake.rows_in:
        entry.warn(f"{lost:,} of {intake.rows_in:,} rows were dropped; {DROPPED_FILE} says why")


def none_left(section: PrepareSection, intake: Intake, folder: Path) -> DataError:
    """The error for a dataset without rows."""
    places = ", ".join(map(shown, section.source))
    if not intake.rows_in:
        return DataError(f"there are no rows in {places}", where=places, next_step="check prepare.source")
    reasons = ", ".join(f"{reason}: {count}" for reason, count in intake.wash.dropped.items())
    return DataError(
        f"all {intake.rows_in} rows were dropped ({reasons})",
        where=str(folder / DROPPED_FILE),
        next_step="look at the dropped rows; check prepare.format, prepare.columns and prepare.clean",
    )
