"""Which languages and scripts the rows are in."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from pydantic import Field

from sevenfold.errors import MachineError
from sevenfold.findings import Chart, Findings, Table
from sevenfold.prepare.audits import Audit
from sevenfold.prepare.audits._sample import Lines, Sample, share, text_of
from sevenfold.prepare.audits._scripts import language_name, main_script, scripts_of
from sevenfold.prepare.clean.language import UNKNOWN, Language
from sevenfold.prepare.dataset import SPLITS, Dataset, Row
from sevenfold.prepare.work import Work

SHOWN = 15
"""Languages of the table."""
FEW = 0.02
"""Share of the rows below which a language has few."""


class Languages(Audit):
    """Rows by language and script in each split, and rows that mix two.

    Languages are told as the cleaning step `language` tells them; without its package, scripts alone are counted.
    """

    main = "among"
    among: tuple[str, ...] = Field((), description="The only languages that are considered; none given: all known.")
    rows: int | None = Field(2000, ge=1, description="Rows that are looked at, evenly spaced; null: all.")
    mixed: float = Field(
        0.2, gt=0, le=0.5, description="Share of a row's letters from which a second script makes the row mixed."
    )

    def examine(self, dataset: Dataset, work: Work) -> Findings:
        """Count."""
        sample, seen = Sample(dataset, self.rows), Seen()
        tell = self.teller(work)
        with work.console.task("languages (rows)", sample.size) as task:
            for split, row in sample:
                self.count(row, split, seen, tell)
                task.advance(1)
        return findings(seen, sample, tell is not None)

    def teller(self, work: Work) -> Language | None:
        """What tells a text's language; None without the package."""
        step = Language(among=self.among)
        try:
            step.start()
        except MachineError as error:
            work.note(f"languages: {error.problem}, so that scripts alone are counted")
            return None
        return step

    def count(self, row: Row, split: str, seen: Seen, tell: Language | None) -> None:
        """Count one row."""
        scripts = scripts_of(text_of(row))
        second = scripts.most_common(2)[1][1] if len(scripts) > 1 else 0
        two_scripts = second >= self.mixed * scripts.total() > 0
        languages = Counter(tell.of(message.content) for message in row.conversation.messages) if tell else Counter()
        known = {code for code in languages if code != UNKNOWN}
        seen.scripts[main_script(scripts), split] += 1
        if tell:
            seen.languages[tell.of(text_of(row)), split] += 1
        if two_scripts or len(known) > 1:
            seen.mixed += 1
            seen.places += [row.origin] * (len(seen.places) < 5)


@dataclass
class Seen:
    """What was counted: languages and scripts by split, mixed rows and where the first of them are."""

    languages: Counter[tuple[str, str]] = field(default_factory=Counter)
    scripts: Counter[tuple[str, str]] = field(default_factory=Counter)
    mixed: int = 0
    places: list[str] = field(default_factory=list)


def findings(seen: Seen, sample: Sample, told: bool) -> Findings:
    """What was found, in words."""
    by = summed(seen.languages if told else seen.scripts)
    kind = "language" if told else "script"
    first = ", ".join(f"{language_name(name)} {share(count, sample.size)}" for name, count in by.most_common(3))
    said = f"Of {sample.said()}: {first}; {seen.mixed:,} mix two languages or scripts."
    found = Findings("Languages", said)
    found.figures = {
        "rows": sample.size,
        "languages": dict(summed(seen.languages).most_common()),
        "scripts": dict(summed(seen.scripts).most_common()),
        "mixed_rows": seen.mixed,
        "mixed_first": seen.places,
    }
    if len(by) > 1:
        shown = by.most_common(SHOWN)
        names, counts = [language_name(name) for name, _ in shown], [float(count) for _, count in shown]
        found.charts.append(Chart("bars", f"rows by {kind}", names, counts, f"Rows by {kind}, of {sample.said()}."))
    for title, counts_by in (("Languages by split", seen.languages), ("Scripts by split", seen.scripts)):
        if counts_by:
            found.tables.append(by_split(title, counts_by))
    found.advice = advice(by, seen, sample, kind)
    return found


def summed(counts: Counter[tuple[str, str]]) -> Counter[str]:
    """Counts over all splits."""
    found: Counter[str] = Counter()
    for (name, _), count in counts.items():
        found[name] += count
    return found


def by_split(title: str, counts: Counter[tuple[str, str]]) -> Table:
    """Rows and their share in each split."""
    wholes = {split: sum(count for (_, side), count in counts.items() if side == split) for split in SPLITS}
    sides = [split for split in SPLITS if wholes[split]]
    lines: Lines = [
        [
            language_name(name),
            total,
            *(f"{counts[name, side]:,} ({share(counts[name, side], wholes[side])})" for side in sides),
        ]
        for name, total in summed(counts).most_common(SHOWN)
    ]
    return Table(title, [title.split()[0].lower().rstrip("s"), "rows", *sides], lines)


def advice(by: Counter[str], seen: Seen, sample: Sample, kind: str) -> list[str]:
    """What to do about it."""
    few = [name for name, count in by.items() if name != UNKNOWN and count < FEW * sample.size]
    said = []
    if few:
        names = ", ".join(language_name(code) for code in sorted(few)[:8])
        said.append(
            f"Read a few rows of each {kind} with under {FEW:.0%} of the rows ({names}): short texts are easily "
            "taken for another language; rows that are really foreign can go with the step language."
        )
    if seen.mixed > 0.1 * sample.size:
        said.append(
            f"{share(seen.mixed, sample.size)} of the rows mix languages or scripts, first {', '.join(seen.places)}: "
            "right for translation and code, else look at them."
        )
    return said
