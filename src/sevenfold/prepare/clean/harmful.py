"""Harmful text, by lists of words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from pydantic import Field

from sevenfold.errors import DataError, RecipeError
from sevenfold.guard.words import ENDINGS, OWN, patterns, plain
from sevenfold.prepare.clean import Counting, Dropped, Outcome, Single, noted
from sevenfold.prepare.dataset import Row
from sevenfold.record import file_digest


class Harmful(Single):
    """Rows with words of threats, hate, self-harm, sex, profanity and violence are flagged or dropped, and counted.

    A list of words finds what says these words, no more: harm in other words, or misspelt, passes. Text that quotes,
    teaches or warns is found as well. Flagged rows are a place to look at, not a verdict; that is why flag is the
    default. A rejected answer is not looked at: it may well be harmful, and is learnt as such.
    """

    main = "action"
    action: Literal["flag", "drop", "count"] = Field(
        "flag", description="flag (the categories go into a column), drop (as harmful), or count."
    )
    languages: tuple[Literal["en", "fa"], ...] = Field(("en", "fa"), description="Which of our lists are used.")
    words: str | None = Field(
        None, description="A list of yours besides: a file with a category, a tab, and a word or phrase a line."
    )
    categories: tuple[str, ...] = Field((), description="The only categories that count; none given: all.")
    least: int = Field(1, ge=1, description="Findings in a row from which it is harmful.")
    column: str = Field("harmful", description="The column that flag writes: the categories, by commas.")

    def start(self) -> Callable[[Row], Outcome]:
        """Read the lists and look at every row.

        Raises:
            RecipeError: A category is in no list.
            DataError: The list of yours cannot be read.
        """
        found = list(self.chosen())
        for category in self.categories:
            if category not in dict(found):
                raise RecipeError(
                    f"harmful: no list has the category {category!r}",
                    value=category,
                    alternatives=sorted({name for name, _ in self.lists()}),
                )
        return Watch(self, found)

    def fingerprints(self) -> dict[str, str]:
        """The list of yours.

        Raises:
            DataError: It is not there.
        """
        if self.words is None:
            return {}
        path = Path(self.words).expanduser()
        if not path.is_file():
            raise DataError(f"there is no list of words {self.words!r}", where=self.words, next_step="check the path")
        return {str(path): file_digest(path)}

    def lists(self) -> Iterator[tuple[str, re.Pattern[str]]]:
        """Every category of the lists with its pattern; one that several lists have stands several times."""
        for language in self.languages:
            yield from patterns(OWN[language], ENDINGS[language]).items()
        if self.words is not None:
            yield from patterns(Path(self.words).expanduser(), "").items()

    def chosen(self) -> Iterator[tuple[str, re.Pattern[str]]]:
        """The categories that count."""
        return (found for found in self.lists() if not self.categories or found[0] in self.categories)


class Watch(Counting):
    """One pass: rows by category."""

    def __init__(self, step: Harmful, lists: list[tuple[str, re.Pattern[str]]]) -> None:
        super().__init__()
        self.step, self.lists = step, lists

    def __call__(self, row: Row) -> Outcome:
        """Find, count, and do what the recipe says."""
        text = plain("\n".join(message.content for message in row.conversation.messages))
        hits = [category for category, pattern in self.lists for _ in pattern.finditer(text)]
        if len(hits) < self.step.least:
            return row
        categories = sorted(set(hits))
        self.figures.update(categories)
        self.figures["rows with any"] += 1
        if self.step.action == "drop":
            return Dropped("harmful")
        return noted(row, self.step.column, ",".join(categories)) if self.step.action == "flag" else row
