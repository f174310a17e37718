"""Whether rows of one split are there again in another, after all."""

from __future__ import annotations

from collections import Counter

from pydantic import Field

from sevenfold.findings import Findings, Table
from sevenfold.prepare.audits import Audit
from sevenfold.prepare.audits._sample import short, text_of
from sevenfold.prepare.dataset import SPLITS, Dataset
from sevenfold.prepare.keys import content_key, opening_key
from sevenfold.prepare.overlap.near import find_near
from sevenfold.prepare.overlap.settings import NearDuplicates
from sevenfold.prepare.places.here import Alone
from sevenfold.prepare.shelf import Shelf, batch_writer, batches
from sevenfold.prepare.work import Work

FILE = ".audit-duplicates.arrow"
SHOWN = 20


class Duplicates(Audit):
    """Rows that are in two splits, the same, asking the same, or nearly the same; there should be none.

    The split sees to it for equal questions, and for near-duplicates where `near_duplicates` is set; this looks
    again at what was written, at all rows. A row needs some 400 bytes of memory while near ones are sought, else 100.
    """

    main = "threshold"
    threshold: float | None = Field(
        0.8, ge=0.5, le=1, description="Similarity from which rows are near-duplicates; null: equal ones alone."
    )

    def examine(self, dataset: Dataset, work: Work) -> Findings:
        """Look at every row."""
        sides = [split for split in SPLITS for _ in range(dataset.counts.get(split, 0))]
        path = work.folder / FILE
        try:
            with batch_writer(path) as write:
                for split in SPLITS:
                    for batch in batches(dataset.path(split)) if dataset.counts.get(split) else ():
                        write(batch)
            return self.compare(Shelf(path), sides, work)
        finally:
            path.unlink(missing_ok=True)

    def compare(self, shelf: Shelf, sides: list[str], work: Work) -> Findings:
        """What two splits share."""
        same, asked, ranks = Places(), Places(), []
        with work.console.task("rows in two splits (rows)", len(sides)) as task:
            for number, (row, side) in enumerate(zip(shelf, sides, strict=True)):
                key = content_key(row.conversation)
                ranks.append(key & (1 << 64) - 1)
                same.add(key, number, side)
                asked.add(opening_key(row.conversation), number, side)
                task.advance(1)
        pairs = [("the same", *pair) for pair in same.parted] + [("asks the same", *pair) for pair in asked.parted]
        figures = {
            "rows": len(sides),
            "equal_across_splits": len(same.parted),
            "asked_across_splits": len(asked.parted),
        }
        if self.threshold is not None:
            near = self.near(work, sides, ranks)
            figures["near_across_splits"] = len(near)
            pairs += [("nearly the same", *pair) for pair in near]
        return findings(figures, pairs, shelf, sides)

    def near(self, work: Work, sides: list[str], ranks: list[int]) -> list[tuple[int, int]]:
        """Pairs of near-duplicates in two splits, one a cluster and held-out row."""
        settings = NearDuplicates(threshold=self.threshold or 1.0, drop=False)
        clusters = find_near(work.folder / FILE, settings, ranks, work.console, Alone()).clusters.sets().values()
        found = []
        for rows in clusters:
            first = min(rows)
            found += [(first, row) for row in sorted(rows) if sides[row] != sides[first]]
        return found


class Places:
    """The first row with a key, and the rows of other splits that have it too."""

    def __init__(self) -> None:
        self.first: dict[int, tuple[int, str]] = {}
        self.parted: list[tuple[int, int]] = []

    def add(self, key: int, number: int, side: str) -> None:
        """Note a row."""
        first, there = self.first.setdefault(key, (number, side))
        if there != side:
            self.parted.append((first, number))


def findings(figures: dict[str, int], pairs: list[tuple[str, int, int]], shelf: Shelf, sides: list[str]) -> Findings:
    """What was found, in words."""
    parted = len({row for _, _, row in pairs})
    if not parted:
        return Findings("Rows in two splits", f"None of {figures['rows']:,} rows is in two splits.", dict(figures))
    by = Counter(how for how, _, _ in pairs)
    kinds = ", ".join(f"{count:,} {how}" for how, count in by.items())
    found = Findings("Rows in two splits", f"{parted:,} rows meet a row of another split ({kinds}).", dict(figures))
    lines = []
    for how, one, other in pairs[:SHOWN]:
        rows = [shelf.row(number) for number in (one, other)]
        places = [f"{sides[number]}: {row.origin}" for number, row in zip((one, other), rows, strict=True)]
        lines.append([how, *places, short(text_of(rows[1]), 160)])
    found.tables.append(Table("Rows that meet one of another split", ["how", "row", "other row", "text"], lines))
    found.advice.append(
        "What is measured on rows that were learnt says nothing: set prepare.near_duplicates: true and "
        "prepare.decontaminate: true, or split by group."
    )
    return found
