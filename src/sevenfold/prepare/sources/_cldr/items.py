"""An item and the ways in which it is written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

WORD = re.compile(r"\d+|[^\d\s,،、./-]+")
"""A run of digits, or of anything but digits, white space and punctuation; ZWNJ stays inside a word."""


@dataclass(frozen=True, slots=True)
class Writing:
    """One way in which an item is written.

    Args:
        language: The language's code; None for what belongs to no language (a code, an ISO date).
        style: ``name``, ``code``, ``list``, ``quantity``, ``digits``, ``words``, ``iso``, or a date's form.
        text: The item, written so.
        parts: What the text is composed of: learnt in one row, it can be used in another.
    """

    language: str | None
    style: str
    text: str
    parts: tuple[str, ...]

    @property
    def label(self) -> str:
        """The writing in the name of a format: ``fa.long``, ``iso``."""
        return f"{self.language}.{self.style}" if self.language else self.style


def writing(language: str | None, style: str, text: str, parts: Iterable[str]) -> Writing:
    """A writing whose parts say where they are from: ``fa:مارس``."""
    return Writing(language, style, text, tuple(dict.fromkeys(f"{language or style}:{part}" for part in parts)))


def words_of(text: str) -> list[str]:
    """The words and the runs of digits of a text."""
    return WORD.findall(text)


@dataclass(frozen=True, slots=True)
class Item:
    """Something that is asked about.

    Args:
        kind: The kind of the row.
        noun: What it is called in a question; a key of the nouns in ``asking``.
        writings: The ways in which it is written.
    """

    kind: str
    noun: str
    writings: tuple[Writing, ...]

    def crossings(self, allowed: Callable[[Writing, Writing], bool]) -> list[tuple[Writing, Writing]]:
        """The pairs of a given and an asked writing, never of one language, in order."""
        return [
            (given, asked)
            for given in self.writings
            for asked in self.writings
            if given.language != asked.language and allowed(given, asked)
        ]
