"""Rules: lists of words and phrases by category, in English and Persian, and patterns of the user's own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field

from sevenfold.chat.conversation import Conversation
from sevenfold.errors import RecipeError
from sevenfold.guard import Flag, Guard, Judgement, OpenGuard, Side, judged_text
from sevenfold.guard.words import ENDINGS, OWN, patterns, plain

SHOWN = 3
"""Findings that a judgement quotes."""


class Rules(Guard):
    """What contains a listed word is unsafe: quick and plain, blind to everything that is said in other words."""

    languages: tuple[Literal["en", "fa"], ...] = Field(("en", "fa"), description="Which of our lists are used.")
    words: str | None = Field(
        None, description="A list of yours besides: a file with a category, a tab, and a word or phrase a line."
    )
    patterns: dict[str, str] = Field(
        {}, description="Category to a regular expression of yours; capitals do not count."
    )
    categories: tuple[str, ...] = Field((), description="The only categories that count; none given: all.")
    least: int = Field(1, ge=1, description="Findings from which a text is unsafe.")

    def open(self) -> OpenRules:
        """Read the lists.

        Raises:
            RecipeError: A category is in no list, or a pattern is none.
            DataError: The list of yours cannot be read.
        """
        lists = list(self.lists())
        known = sorted({name for name, _ in lists})
        for category in self.categories:
            if category not in known:
                raise RecipeError(f"no list has the category {category!r}", value=category, alternatives=known)
        return OpenRules([one for one in lists if not self.categories or one[0] in self.categories], self.least)

    def lists(self) -> Iterator[tuple[str, re.Pattern[str]]]:
        """Every category with a pattern; a category of several lists stands several times.

        Raises:
            RecipeError: A pattern is no regular expression.
        """
        for language in self.languages:
            yield from patterns(OWN[language], ENDINGS[language]).items()
        if self.words is not None:
            yield from patterns(Path(self.words).expanduser(), "").items()
        for category, pattern in self.patterns.items():
            try:
                yield category, re.compile(pattern, re.IGNORECASE)
            except re.error as error:
                raise RecipeError(
                    f"{pattern!r} is no regular expression: {error}", where=f"patterns.{category}"
                ) from None


class OpenRules(OpenGuard):
    """Lists that are ready.

    Args:
        lists: Category and pattern.
        least: Findings from which a text is unsafe.
    """

    def __init__(self, lists: list[tuple[str, re.Pattern[str]]], least: int) -> None:
        self.lists, self.least = lists, least

    def judge(self, conversations: Sequence[Conversation], side: Side = "prompt") -> list[Judgement]:
        """Search each text."""
        return [self.one(plain(judged_text(one, side))) for one in conversations]

    def one(self, text: str) -> Judgement:
        """What the lists find in a text in plain letters."""
        hits = [(category, found.group()) for category, pattern in self.lists for found in pattern.finditer(text)]
        if len(hits) < self.least:
            return Judgement(True, 0.0, why="no listed word")
        names = dict.fromkeys(category for category, _ in hits)
        quoted = ", ".join(f"{word!r} ({category})" for category, word in hits[:SHOWN])
        return Judgement(False, 1.0, tuple(Flag(name) for name in names), why=f"{len(hits)} listed: {quoted}")
