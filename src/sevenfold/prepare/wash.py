"""The cleaning steps one behind the other, with what each changed and dropped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from sevenfold.prepare.clean import STEPS, Counting, Dropped, Outcome, Step
from sevenfold.prepare.dataset import Row
from sevenfold.prepare.examples import Examples


class Wash:
    """One pass of the steps over the rows.

    Args:
        steps: The steps in order.
    """

    def __init__(self, steps: Iterable[Step]) -> None:
        self.given = list(steps)
        self.steps = [(STEPS.name_of(step), step.start()) for step in self.given]
        self.changed: Counter[str] = Counter({name: 0 for name, _ in self.steps})
        self.dropped: Counter[str] = Counter()
        self.examples = Examples()

    def clean(self, outcome: Outcome) -> Outcome:
        """What the steps make of a row; each counts what it changed, and the reasons are counted."""
        for name, step in self.steps:
            if isinstance(outcome, Dropped):
                break
            cleaned = step(outcome)
            if isinstance(cleaned, Row) and cleaned is not outcome:
                self.changed[name] += 1
                self.examples.keep(name, outcome, cleaned)
            outcome = cleaned
        if isinstance(outcome, Dropped):
            self.dropped[outcome.reason] += 1
        return outcome

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
        if isinstance(value, dict):
            return {key: self.hidden(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.hidden(item) for item in value]
        if value is None or isinstance(value, bool):
            return value
        text = str(value)
        for step in self.given:
            text = step.hide(text)
        return value if text == str(value) else text
