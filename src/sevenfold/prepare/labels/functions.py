"""Labelling functions: a user's own Python functions and simple rules, each a label for a text or nothing."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from pydantic import Field, field_validator, model_validator

from sevenfold.errors import DataError, first_line
from sevenfold.registry import module_of
from sevenfold.schema import Strict

Function = Callable[[str, Mapping[str, Any]], str | None]
"""From a text and its row's columns to a label or None."""


class Rule(Strict):
    """A label for texts that hold some words, or a pattern."""

    label: str = Field(min_length=1, description="The label that it says.")
    contains: tuple[str, ...] = Field((), description="Any of these stands in the text; capitals do not count.")
    regex: str | None = Field(None, description="A regular expression that is found in the text.")

    @field_validator("regex")
    @classmethod
    def compiles(cls, pattern: str | None) -> str | None:
        """Refuse what is no regular expression."""
        try:
            re.compile(pattern or "")
        except re.error as error:
            raise ValueError(f"{pattern!r} is no regular expression: {error}") from None
        return pattern

    @model_validator(mode="after")
    def looks_for_something(self) -> Rule:
        """Refuse a rule that would fit every text or none."""
        if not self.contains and not self.regex:
            raise ValueError("a rule needs contains or regex")
        return self

    @property
    def name(self) -> str:
        """What it is called in the report."""
        return f"{self.regex or ' | '.join(self.contains)} -> {self.label}"

    @cached_property
    def words(self) -> tuple[str, ...]:
        """What is looked for, without capitals."""
        return tuple(word.casefold() for word in self.contains)

    def vote(self, text: str, row: Mapping[str, Any]) -> str | None:
        """The label, where the text fits."""
        plain = text.casefold()
        fits = any(word in plain for word in self.words) or (self.regex and re.search(self.regex, text))
        return self.label if fits else None


def functions_of(path: str | None, rules: Sequence[Rule]) -> dict[str, Function]:
    """All labelling functions by name: the public functions that the user's file defines, then the rules.

    Raises:
        RecipeError: The file is not there or cannot be run.
        DataError: It defines no function.
    """
    from pathlib import Path

    found: dict[str, Function] = {}
    if path:
        module = module_of(Path(path), "labelling function")
        for name, item in vars(module).items():
            if inspect.isfunction(item) and item.__module__ == module.__name__ and not name.startswith("_"):
                found[name] = called(item, path)
        if not found:
            raise DataError(f"{path} defines no function", where=path, expected="functions that take a text")
    return found | {rule.name: rule.vote for rule in rules}


def called(function: Callable[..., Any], path: str) -> Function:
    """A user's function with the checks of what it gives; one whose only argument is ``row`` gets the columns."""
    whole = list(inspect.signature(function).parameters) == ["row"]

    def vote(text: str, row: Mapping[str, Any]) -> str | None:
        try:
            label = function(dict(row)) if whole else function(text)
        except Exception as error:
            raise DataError(
                f"{function.__name__} fails with {type(error).__name__}: {first_line(error)}",
                where=path,
                expected="a label or None for every text",
            ) from error
        if label is not None and not isinstance(label, str):
            raise DataError(f"{function.__name__} says {label!r}", where=path, expected="a label or None")
        return label

    return vote
