"""Stage 1, ``prepare``: rows from anywhere to a checked dataset with splits and a data report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sevenfold.errors import DataError
from sevenfold.prepare.advice import advice
from sevenfold.prepare.codes import Coded
from sevenfold.prepare.collect import STAGED_FILE, Intake, take_in
from sevenfold.prepare.counting import Count, Counted
from sevenfold.prepare.dataset import SPLITS, Dataset
from sevenfold.prepare.figures import Figures
from sevenfold.prepare.holdout import NEAR, SEMANTIC, choose_sides
from sevenfold.prepare.labels.queue import META_FILE, REVIEW_FILE
from sevenfold.prepare.overlap.alike import Sought
from sevenfold.prepare.overlap.findings import LEAK, leak_facts, near_facts, removed, semantic_facts, write_removed
from sevenfold.prepare.overlap.leaks import Leaks, find_leaks
from sevenfold.prepare.overlap.near import find_near
from sevenfold.prepare.overlap.semantic import SCRATCH, find_semantic
from sevenfold.prepare.overlap.settings import Decontaminate
from sevenfold.prepare.overlap.signing import SCRATCH as SIGNED
from sevenfold.prepare.places import Crew
from sevenfold.prepare.report import DROPPED_FILE, NO_REPLY, REPORT_FILE, label_counts, table
from sevenfold.prepare.reshape import FIRST_FILE, STEP_FILE, Reshaped, examine, reshape
from sevenfold.prepare.section import PrepareSection
from sevenfold.prepare.shelf import Shelf, batch_writer, batches
from sevenfold.prepare.splits import SPLITTERS
from sevenfold.prepare.version import VERSION_FILE, Content, write_version
from sevenfold.prepare.withdraw import warn_of_earlier
from sevenfold.record import RESULT_FILE, Entry, write_json

LEFT_FILES = (DROPPED_FILE, REPORT_FILE, VERSION_FILE, RESULT_FILE, REVIEW_FILE, META_FILE)
FAR = 0.3
"""From this relative distance between the asked and the found share the user is told."""


def prepare(section: PrepareSection, entry: Entry) -> Dataset:
    """Read, clean, split and report.

    Rows pass through as a stream; of each row only hashes, lengths and labels stay in memory, in arrays.

    Args:
        section: What to read and how.
        entry: The stage's folder and record.

    Returns:
        The dataset in ``entry.folder``, with ``report.json`` and ``dropped.jsonl`` beside it.

    Raises:
        DataError: Rows cannot be read, or too few are left for the splits.
        MachineError: The folder cannot be written.
    """
    clear(entry.folder)
    try:
        with section.workers.crew([*section.clean, section.format]) as crew:
            intake = take_in(section, entry, crew)
            overlap = find_overlap(section, entry, intake, crew)
            written = write_splits(section, entry, intake, overlap.sides, crew)
    finally:
        clear_scratch(entry.folder)
    dataset = Dataset(counts=written.counts).at(entry.folder)
    say_shares(section, Counter(overlap.sides), entry)
    report = compose(section, intake, overlap, written)
    labelling = intake.given.findings if intake.given else []
    report["audits"] = [*labelling, *examine(section, dataset, intake.wash, entry)]
    publish(report | {"advice": advice(report)}, entry)
    write_version(entry, dataset.save(entry.folder), str(written.content))
    if section.withdraw:
        warn_of_earlier(entry)
    return dataset


@dataclass
class Overlap:
    """Where each staged row goes, and which text rows were found to share.

    Args:
        sides: Each row's split, or why it is in none.
        facts: The report's parts on near-duplicates and leaks.
    """

    sides: Coded
    facts: dict[str, dict[str, Any]]


def find_overlap(section: PrepareSection, entry: Entry, intake: Intake, crew: Crew) -> Overlap:
    """Split the staged rows; near-duplicates and leaks are taken out if asked, and written to ``dropped.jsonl``.

    Raises:
        DataError: Too few rows are left.
    """
    staged, near, semantic, leaks = entry.folder / STAGED_FILE, None, None, None
    sought: Sought = {}
    if section.near_duplicates:
        sought[NEAR] = near = find_near(staged, section.near_duplicates, intake.ranks, entry.console, crew)
    if section.semantic_duplicates:
        gone = near.twins if near else None
        semantic = find_semantic(staged, section.semantic_duplicates, intake.ranks, gone, entry.console)
        sought[SEMANTIC] = semantic
    sides = choose_sides(section, intake, sought)
    if section.decontaminate:
        leaks = find_leaks(staged, section.decontaminate, sides, entry.console)
        for row in leaks.rows:
            sides[row] = LEAK
        if "train" not in sides:
            raise all_leak(section.decontaminate, leaks)
    lines = removed(Shelf(staged), sought, leaks, sides)
    examples = write_removed(entry.folder / DROPPED_FILE, lines) if sought or leaks else []
    facts = {
        "near_duplicates": near_facts(near, examples, NEAR),
        "semantic_duplicates": semantic_facts(semantic, examples, SEMANTIC),
        "leaks": leak_facts(leaks, examples),
    }
    say_overlap(facts, entry)
    return Overlap(sides, facts)


def say_overlap(facts: dict[str, dict[str, Any]], entry: Entry) -> None:
    """Say what was found, with the first example of leaks."""
    for kind in ("near_duplicates", "semantic_duplicates"):
        if alike := facts[kind]:
            found = f"{alike['rows']:,} rows in {alike['clusters']:,} clusters, {alike['dropped']:,} dropped"
            entry.note(f"{kind.replace('_', ' ')}: {found}")
    near, leaks = facts["near_duplicates"], facts["leaks"]
    if near and near["not_compared"]:
        entry.warn(f"{near['not_compared']:,} times a row shared a band with more rows than are compared")
    if leaks:
        first = leaks["examples"][0] if leaks["examples"] else None
        example = f"; {first['origin']} has of {first['of']}: {first['words']!r}" if first else ""
        entry.note(f"leaks: {leaks['rows']:,} training rows removed{example}")


def all_leak(settings: Decontaminate, leaks: Leaks) -> DataError:
    """The error when no training row is left."""
    example = next(iter(leaks.rows.values()))
    return DataError(
        f"every training row shares {settings.words} words in a row with what is held out",
        where=example.where,
        value=example.words,
        next_step="are training and evaluation the same rows? if not, raise prepare.decontaminate.words",
    )


def say_shares(section: PrepareSection, counts: Counter[str], entry: Entry) -> None:
    """Say when a split is far from the fraction that was asked for, and how to get an exact number."""
    rows = sum(counts[side] for side in SPLITS)
    for side, share in section.split.wanted.items():
        found = counts[side] / rows
        if share < 1 and abs(found - share) > FAR * share:
            entry.note(
                f"{side} has {found:.1%} of the rows, {share:.1%} was asked for: fractions are of questions or groups, "
                f"which are not parted; split.{side}: {round(share * rows) or 1} takes at least so many rows"
            )


def clear(folder: Path) -> None:
    """Remove what an earlier run of the stage left, whole or half."""
    if not folder.is_dir():
        return
    clear_scratch(folder)
    for name in (*(f"{split}.arrow" for split in SPLITS), *LEFT_FILES):
        (folder / name).unlink(missing_ok=True)
        for half in folder.glob(f".{name}.*"):
            half.unlink()


def clear_scratch(folder: Path) -> None:
    """Remove the files that rows pass through on their way."""
    for pattern in (STAGED_FILE, STEP_FILE.format("*"), SCRATCH.format("*"), SIGNED.format("*")):
        for path in (*folder.glob(pattern), *folder.glob(f".{pattern}.*")):
            path.unlink()


@dataclass
class Written:
    """What is known of the rows that were written.

    Args:
        counts: Split to rows.
        figures: Lengths, turns and roles.
        content: The dataset's identity.
        reshaped: What the changes of the training rows did, where there are some.
    """

    counts: Counter[str] = field(default_factory=Counter)
    figures: Figures = field(default_factory=Figures)
    content: Content = field(default_factory=Content)
    reshaped: Reshaped | None = None

    def count(self, found: Counted) -> None:
        """Count some rows that were written."""
        self.counts[found.side] += found.rows
        self.figures.merge(found.figures)
        self.content.merge(found.content)


def write_splits(section: PrepareSection, entry: Entry, intake: Intake, sides: Coded, crew: Crew) -> Written:
    """The staged rows into one file a split, which take their names together at the end.

    Training rows go through their changes first, where there are some.
    """
    written = Written(Counter(dict.fromkeys(SPLITS, 0)))
    with ExitStack() as stack:
        task = stack.enter_context(entry.console.task("writing (rows)", len(sides)))
        writers = {
            side: stack.enter_context(batch_writer(entry.folder / f"{side}.arrow")) for side in SPLITS if side in sides
        }

        def count(parts: Iterator[Part]) -> None:
            for found in crew.each(Count(), passing(parts, writers)):
                written.count(found)

        parts = part_rows(entry.folder / STAGED_FILE, sides, list(writers), task.advance)
        if not section.training:
            count(parts)
            return written
        with batch_writer(entry.folder / FIRST_FILE) as first:
            count(part for part in passing(parts, {"train": first}) if part[0] != "train")
        written.reshaped = reshape(section, intake.wash, entry)
        count(("train", batch) for batch in batches(written.reshaped.path))
    return written


Part = tuple[str, Any]
"""A split and some rows of it."""


def passing(parts: Iterator[Part], writers: Mapping[str, Callable[[Any], None]]) -> Iterator[Part]:
    """The parts, each written on its way by the writer of its split, if there is one."""
    for side, batch in parts:
        if side in writers:
            writers[side](batch)
        yield side, batch


def part_rows(path: Path, sides: Coded, wanted: list[str], advance: Callable[[int], None]) -> Iterator[Part]:
    """The rows of a file by their sides."""
    import pyarrow

    start = 0
    for batch in batches(path):
        found = sides.array()[start : start + batch.num_rows]
        for side in wanted:
            part = batch.filter(pyarrow.array(found == sides.code(side)))
            if part.num_rows:
                yield side, part
        start += batch.num_rows
        advance(batch.num_rows)


def compose(section: PrepareSection, intake: Intake, overlap: Overlap, written: Written) -> dict[str, Any]:
    """The data report without its audits and advice; :mod:`sevenfold.prepare.report` documents its keys."""
    sides, dropped, split = overlap.sides, intake.wash.dropped, section.split
    reshaped = written.reshaped
    reasons = dropped + Counter(side for side in sides if side not in SPLITS)
    return {
        "rows_in": intake.rows_in,
        "rows": written.counts.total(),
        "sources": [asdict(facts) for facts in intake.sources],
        "changed": dict(intake.wash.changed),
        "examples": intake.wash.examples.as_json(intake.wash.hidden),
        "found": intake.wash.figures,
        "dropped": dict(reasons + reshaped.dropped if reshaped else reasons),
        "made": reshaped.made if reshaped else {},
        "duplicates": dropped["duplicate"],
        **overlap.facts,
        "no_reply": {"rows": sum(dropped[reason] for reason in NO_REPLY), "origins": intake.no_reply},
        "splits": dict(written.counts),
        "split": {"how": SPLITTERS.name_of(split.how), "by": split.how.column, "seed": split.seed}
        | ({"rounds": intake.rounds} if intake.rounds else {}),
        "labels": label_counts(intake.labels, sides) if split.how.column else {},
        "training": reshaped.findings if reshaped else [],
        **written.figures.summary(),
    }


def publish(report: dict[str, Any], entry: Entry) -> None:
    """Write the report, keep its figures in the record, and show it."""
    write_json(entry.folder / REPORT_FILE, report)
    for name in ("rows_in", "rows", "changed", "found", "dropped", "made", "duplicates", "splits"):
        entry.metric(name, report[name])
    entry.metric("characters_median", report["characters"]["row"]["median"])
    entry.metric("characters_p95", report["characters"]["row"]["p95"])
    entry.console.table("data", ("", "rows"), table(report))
    for one in report["advice"]:
        entry.note(f"{one['what']}: {one['why']}")
