"""The pass over the sources: rows are read, cleaned and staged; those that are dropped are written down."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from sys import intern
from typing import Any, TextIO

from sevenfold.errors import DataError
from sevenfold.prepare.clean import Dropped
from sevenfold.prepare.dataset import Row, said
from sevenfold.prepare.intake import SourceFacts, read_source, shown
from sevenfold.prepare.keys import content_key, hashed, opening_key
from sevenfold.prepare.report import DROPPED_FILE, MOST_ORIGINS, NO_REPLY
from sevenfold.prepare.section import PrepareSection, Split
from sevenfold.prepare.shelf import row_writer
from sevenfold.prepare.sources import RawRow, Reading
from sevenfold.prepare.unreadable import told
from sevenfold.prepare.wash import Wash
from sevenfold.prepare.withdraw import Withdrawal
from sevenfold.record import Entry, writing

STAGED_FILE = ".staged.arrow"
MANY_DROPPED = 0.3
"""The share of dropped rows from which the user is warned."""


@dataclass
class Intake:
    """What the pass over the sources leaves behind, beside the staged rows."""

    wash: Wash
    sources: list[SourceFacts] = field(default_factory=list)
    openings: array[int] = field(default_factory=lambda: array("Q"))
    ranks: array[int] = field(default_factory=lambda: array("Q"))
    """Which rows ``limit`` keeps: the lowest."""
    labels: list[str] = field(default_factory=list)
    no_reply: list[str] = field(default_factory=list)

    @property
    def rows_in(self) -> int:
        """Rows that the sources gave."""
        return sum(facts.rows for facts in self.sources)

    def keep(self, row: Row, split: Split) -> None:
        """Remember what the split and the limit need to know of a row."""
        self.openings.append(opening_key(row.conversation))
        self.ranks.append(hashed((str(split.seed), "limit", str(content_key(row.conversation)))))
        if split.how.column:
            self.labels.append(intern(row.fields[split.how.column]))


def take_in(section: PrepareSection, entry: Entry) -> Intake:
    """Read and clean all rows into the staged file; those that are dropped into ``dropped.jsonl``.

    Raises:
        DataError: A row cannot be read, or no row is left.
    """
    intake = Intake(Wash(section.clean))
    total = sum(source.size() for source in section.source)
    with (
        writing(entry.folder / DROPPED_FILE) as dropped_path,
        dropped_path.open("w", encoding="utf-8", errors="backslashreplace") as dropped,
        row_writer(entry.folder / STAGED_FILE) as keep,
        entry.console.task("reading (bytes)", total) as task,
    ):
        reading = Reading(task.advance, entry.note, entry.warn)
        for row in cleaned(section, reading, intake, dropped):
            keep(row)
            intake.keep(row, section.split)
    say_missing(intake, entry)
    if not intake.openings:
        raise none_left(section, intake, entry.folder)
    return intake


def cleaned(section: PrepareSection, reading: Reading, intake: Intake, dropped: TextIO) -> Iterator[Row]:
    """The rows that are left of every source; the others are written down."""
    withdrawal = Withdrawal(section.withdraw)
    for source in section.source:
        facts = SourceFacts(shown(source))
        intake.sources.append(facts)
        for raw, outcome in read_source(source, section, reading, facts, withdrawal):
            result = intake.wash.clean(outcome)
            if isinstance(result, Row):
                yield result
                continue
            dropped.write(dropped_line(raw, outcome, result.reason, intake.wash))
            if result.reason in NO_REPLY and len(intake.no_reply) < MOST_ORIGINS:
                intake.no_reply.append(raw.origin)
    withdrawal.finish(reading)


def dropped_line(raw: RawRow, read: Row | Dropped, reason: str, wash: Wash) -> str:
    """A dropped row: its reason, its place, and what it says or, when that could not be read, its columns.

    What a step masks in the rows that stay is masked here too.
    """
    content: dict[str, Any] = said(read) if isinstance(read, Row) else {"values": raw.values}
    if isinstance(read, Dropped) and read.problem:
        content = told(raw.values, read, wash.hidden)
    content = wash.hidden(content)
    return json.dumps({"reason": reason, "origin": raw.origin, **content}, ensure_ascii=False, default=str) + "\n"


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
