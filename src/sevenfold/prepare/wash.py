"""The cleaning steps one behind the other, with what each changed and dropped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from sevenfold.prepare.clean import STEPS, Dropped, Outcome, Step
from sevenfold.prepare.dataset import Row


class Wash:
    """One pass of the steps over the rows.

    Args:
        steps: The steps in order.
    """

    def __init__(self, steps: Iterable[Step]) -> None:
        self.steps = [(STEPS.name_of(step), step.start()) for step in steps]
        self.changed: Counter[str] = Counter({name: 0 for name, _ in self.steps})
        self.dropped: Counter[str] = Counter()

    def clean(self, outcome: Outcome) -> Outcome:
        """What the steps make of a row; each counts what it changed, and the reasons are counted."""
        for name, step in self.steps:
            if isinstance(outcome, Dropped):
                break
            cleaned = step(outcome)
            self.changed[name] += isinstance(cleaned, Row) and cleaned is not outcome
            outcome = cleaned
        if isinstance(outcome, Dropped):
            self.dropped[outcome.reason] += 1
        return outcome
