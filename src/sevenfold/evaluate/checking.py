"""The checks of a run: asked of each model while it is open, compared when both are done, every item written down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sevenfold.evaluate.checks import check_name
from sevenfold.evaluate.examined import Examined, Weighing
from sevenfold.evaluate.jsonl import Kept, write_lines
from sevenfold.evaluate.report import CHECKS_FOLDER
from sevenfold.evaluate.subject import Subject

if TYPE_CHECKING:
    from sevenfold.evaluate.held_out import Question
    from sevenfold.evaluate.section import EvaluateSection
    from sevenfold.generate.engine import Engine
    from sevenfold.prepare.dataset import Dataset
    from sevenfold.record import Entry


@dataclass(frozen=True)
class Examination:
    """What the checks need.

    Args:
        section: Which checks.
        dataset: All rows.
        questions: The held-out rows as they are asked.
        leads: Each model's virtual tokens.
        seed: The seed of what is drawn.
        entry: The stage's folder and progress.
    """

    section: EvaluateSection
    dataset: Dataset
    questions: Sequence[Question]
    leads: Mapping[str, Sequence[int]]
    seed: int
    entry: Entry

    def of(self, name: str, engine: Engine, kept: Kept) -> dict[str, Examined]:
        """What one model does in every check."""
        return {
            check_name(check): check.examine(self.subject(name, check_name(check), engine, kept))
            for check in self.section.checks
        }

    def subject(self, name: str, check: str, engine: Engine, kept: Kept) -> Subject:
        """One model in one check."""
        return Subject(
            name,
            check,
            engine,
            self.leads.get(name, ()),
            kept,
            self.section.batch,
            self.entry.console,
            self.questions,
            self.dataset,
            self.entry.folder,
            self.seed,
            self.section.metrics,
            self.section.max_new_tokens,
        )

    def report(self, base: dict[str, Examined], tuned: dict[str, Examined]) -> dict[str, dict[str, Any]]:
        """What each check found; every item goes to a file of its own."""
        weighing = Weighing(self.seed, self.section.resamples, self.section.confidence)
        found = {}
        for check in self.section.checks:
            name = check_name(check)
            write_items(self.entry, name, base[name], tuned[name])
            found[name] = check.findings(base[name], tuned[name], weighing).as_json()
        return found


def write_items(entry: Entry, name: str, base: Examined, tuned: Examined) -> None:
    """A line for each item, with what both models did and every value."""
    folder = entry.folder / CHECKS_FOLDER
    folder.mkdir(exist_ok=True)
    write_lines(folder / f"{name}.jsonl", lines(base, tuned))


def lines(base: Examined, tuned: Examined) -> Iterator[dict[str, Any]]:
    """The items of both models side by side."""
    for place, (one, other) in enumerate(zip(base.items, tuned.items, strict=True)):
        yield {"base": one | {"values": at(base, place)}, "tuned": other | {"values": at(tuned, place)}}


def at(examined: Examined, place: int) -> dict[str, float | None]:
    """An item's values; null where a figure is not about it."""
    return {name: None if values[place] != values[place] else values[place] for name, values in examined.values.items()}
