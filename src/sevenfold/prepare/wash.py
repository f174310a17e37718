"""The cleaning steps one behind the other, with what each changed and dropped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sevenfold.prepare.clean import STEPS, Counting, Dropped, Outcome, Step
from sevenfold.prepare.dataset import Row
from sevenfold.prepare.examples import Examples


@dataclass(frozen=True)
class Tally:
    """What steps did with some rows.

    Args:
        changed: Step to rows that it changed.
        figures: What each step counted, in their order.
        examples: The first rows that each changed.
    """

    changed: Counter[str]
    figures: list[Counter[str]]
    examples: Examples


class Wash:
    """One pass of the steps over the rows.

    Args:
        steps: The steps in order.
        hiding: The steps that hide what is written down of dropped rows, where these are not all.
    """

    def __init__(self, steps: Iterable[Step], hiding: Iterable[Step] | None = None) -> None:
        given = list(steps)
        self.steps = [(STEPS.name_of(step), step.start()) for step in given]
        # A step that hides nothing is not asked: it would cost a pass over every text that is dropped.
        self.hiding = [step for step in (given if hiding is None else hiding) if type(step).hide is not Step.hide]
        self.changed: Counter[str] = Counter({name: 0 for name, _ in self.steps})
        self.dropped: Counter[str] = Counter()
        self.examples = Examples()

    def clean(self, outcome: Outcome) -> Outcome:
        """What all the steps make of a row; each counts what it changed, and the reasons are counted."""
        outcome = self.put_through(outcome)
        if isinstance(outcome, Dropped):
            self.dropped[outcome.reason] += 1
        return outcome

    def put_through(self, outcome: Outcome, first: int = 0) -> Outcome:
        """What the steps, from one of them on, make of a row; what each changed is counted."""
        for name, step in self.steps[first:]:
            if isinstance(outcome, Dropped):
                break
            cleaned = step(outcome)
            if isinstance(cleaned, Row) and cleaned is not outcome:
                self.changed[name] += 1
                self.examples.keep(name, outcome, cleaned)
            outcome = cleaned
        return outcome

    def handed_over(self) -> Tally:
        """What the steps did since the last time, which is forgotten here."""
        figures = []
        for _, step in self.steps:
            figures.append(step.figures if isinstance(step, Counting) else Counter())
            if isinstance(step, Counting):
                step.figures = Counter()
        tally = Tally(self.changed, figures, self.examples)
        self.changed, self.examples = Counter({name: 0 for name, _ in self.steps}), Examples()
        return tally

    def take_over(self, tally: Tally) -> None:
        """Count what the first steps did elsewhere, with rows that come behind those of the time before."""
        self.changed.update(tally.changed)
        self.examples.merge(tally.examples)
        for (_, step), more in zip(self.steps, tally.figures, strict=False):
            if isinstance(step, Counting):
                step.figures.update(more)

    @property
    def figures(self) -> dict[str, dict[str, int]]:
        """What the steps that count more than changed rows have found, the most frequent first."""
        found: dict[str, Counter[str]] = {}
        for name, step in self.steps:
            if isinstance(step, Counting):
                found.setdefault(name, Counter()).update(step.figures)
        return {name: dict((+figures).most_common()) for name, figures in found.items()}

    def hidden(self, value: Any) -> Any:
        """A dropped row's content as it may be written down: every text in it as the steps hide it."""
        if not self.hiding:
            return value
        if isinstance(value, dict):
            return {key: self.hidden(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.hidden(item) for item in value]
        if value is None or isinstance(value, bool):
            return value
        text = str(value)
        for step in self.hiding:
            text = step.hide(text)
        return value if text == str(value) else text
