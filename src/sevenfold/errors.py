"""The errors a user can cause: the value, where it is, what was expected, the alternatives, the next step."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Self


def closest(value: str, options: Iterable[str]) -> str | None:
    """The option that is spelt most like ``value``, or None when nothing comes near."""
    by_lower = {option.lower(): option for option in options}
    found = difflib.get_close_matches(value.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None


class SevenfoldError(Exception):
    """A mistake that the user can mend; printed without a traceback.

    Args:
        problem: What is wrong, with the value that is wrong.
        where: The place: a file and line, a key of the recipe, an address.
        expected: What would have been right.
        alternatives: The values that exist; the nearest to ``value`` is suggested.
        value: The wrong value as the user wrote it, to find the nearest alternative.
        next_step: What to do now, a command where there is one.
    """

    exit_code = 2

    def __init__(
        self,
        problem: str,
        *,
        where: str | None = None,
        expected: str | None = None,
        alternatives: Iterable[str] = (),
        value: str | None = None,
        next_step: str | None = None,
    ) -> None:
        self.problem, self.where, self.expected, self.next_step = problem, where, expected, next_step
        self.alternatives, self.value = tuple(alternatives), value
        self.suggestion = closest(value, self.alternatives) if value is not None else None
        super().__init__(problem)

    def __str__(self) -> str:
        return self.describe()

    def at(self, where: str) -> Self:
        """The same error, with its place said more exactly by who knows it."""
        self.where = where
        return self

    def describe(self) -> str:
        """The whole message, one fact a line."""
        lines = [self.problem]
        if self.where:
            lines.append(f"  where: {self.where}")
        if self.expected:
            lines.append(f"  expected: {self.expected}")
        if self.suggestion:
            lines.append(f"  did you mean: {self.suggestion}")
        if self.alternatives:
            lines.append(f"  available: {', '.join(self.alternatives)}")
        if self.next_step:
            lines.append(f"  next: {self.next_step}")
        return "\n".join(lines)

    def as_json(self) -> dict[str, object]:
        """The same facts for ``--json``."""
        return {
            "error": self.problem,
            "kind": type(self).__name__,
            "where": self.where,
            "expected": self.expected,
            "did_you_mean": self.suggestion,
            "alternatives": list(self.alternatives),
            "next": self.next_step,
        }


class RecipeError(SevenfoldError):
    """The recipe, or an option that overrides it, cannot be used."""


class DataError(SevenfoldError):
    """Rows cannot be read, or are not what the task needs."""


class ModelError(SevenfoldError):
    """A model, tokenizer or template cannot be used."""


class MachineError(SevenfoldError):
    """The machine cannot do it: memory, disk, permissions, ports, missing parts."""


class TrainingError(SevenfoldError):
    """Training went wrong: not a number, a loss spike, nothing to learn from."""


class ProofError(SevenfoldError):
    """Two things that must be equal are not."""

    exit_code = 3


class Interrupted(SevenfoldError):
    """The user or the system asked the work to stop; the same command goes on where it stopped."""

    exit_code = 130


def first_line(error: BaseException) -> str:
    """The first line of what somebody else's error says; its kind where it says nothing."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
