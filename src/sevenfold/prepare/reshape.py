"""The changes of the training rows one behind the other, each from one file into the next; and the audits."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sevenfold.errors import DataError
from sevenfold.prepare.audits import AUDITS
from sevenfold.prepare.dataset import Dataset, Row, said
from sevenfold.prepare.report import DROPPED_FILE
from sevenfold.prepare.section import PrepareSection
from sevenfold.prepare.shelf import Shelf, row_writer
from sevenfold.prepare.training import CHANGES, Change
from sevenfold.prepare.wash import Wash
from sevenfold.prepare.work import Work
from sevenfold.record import Entry

STEP_FILE = ".training-{}.arrow"
FIRST_FILE = STEP_FILE.format(0)
"""The training rows before the first change."""


@dataclass
class Reshaped:
    """What the changes left behind.

    Args:
        path: The file of the training rows, which the caller removes.
        findings: What each change did, as ``report.json`` holds it.
        dropped: Reason to rows.
        made: Change to the rows that it made.
    """

    path: Path
    findings: list[dict[str, Any]] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    made: dict[str, int] = field(default_factory=dict)


def reshape(section: PrepareSection, wash: Wash, entry: Entry) -> Reshaped:
    """Put the training rows in :data:`FIRST_FILE` through the changes.

    Args:
        section: The changes, and the seed.
        wash: Hides in dropped rows what its steps hide.
        entry: The stage.

    Raises:
        DataError: A change leaves no row.
    """
    done = Reshaped(entry.folder / FIRST_FILE)
    names = numbered(CHANGES.name_of(change) for change in section.training)
    for number, (name, change) in enumerate(zip(names, section.training, strict=True), start=1):
        before, done.path = done.path, entry.folder / STEP_FILE.format(number)
        with working(name, section, wash, entry) as work:
            done.findings.append(one_change(change, Shelf(before), done.path, work))
        before.unlink()
        done.dropped.update(work.dropped)
        if work.made:
            done.made[name] = work.made
        if not len(Shelf(done.path)):
            raise DataError(
                f"prepare.training: {name} leaves no training row",
                where=str(entry.folder / DROPPED_FILE),
                next_step="look at the dropped rows; ask less of it",
            )
    return done


def numbered(names: Iterator[str]) -> list[str]:
    """The names, the second of a name with its number behind it."""
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return found


def one_change(change: Change, shelf: Shelf, path: Path, work: Work) -> dict[str, Any]:
    """Write the rows after a change; gives what it did."""
    rows = change.rows(shelf, work)
    with row_writer(path) as keep:
        while True:
            try:
                keep(next(rows))
            except StopIteration as end:
                work.note(f"{work.name}: {end.value.said}")
                return dict(end.value.as_json(work.name))


def examine(section: PrepareSection, dataset: Dataset, wash: Wash, entry: Entry) -> list[dict[str, Any]]:
    """What each audit finds, as ``report.json`` holds it."""
    found = []
    names = numbered(AUDITS.name_of(audit) for audit in section.audits)
    for name, audit in zip(names, section.audits, strict=True):
        with working(name, section, wash, entry) as work:
            findings = audit.examine(dataset, work)
        entry.note(f"{name}: {findings.said}")
        found.append(findings.as_json(name))
    return found


@contextmanager
def working(name: str, section: PrepareSection, wash: Wash, entry: Entry) -> Iterator[Work]:
    """The stage as one change or audit sees it."""
    # The stage begins the file anew, so that a killed run leaves no line twice.
    with (entry.folder / DROPPED_FILE).open("a", encoding="utf-8", errors="backslashreplace") as file:

        def write_dropped(row: Row, reason: str) -> None:
            line = {"reason": reason, "origin": row.origin, **wash.hidden(said(row))}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")

        yield Work(name, section.split.seed, entry.folder, entry.console, entry.note, entry.warn, write_dropped)
