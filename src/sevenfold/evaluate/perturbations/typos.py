"""Slips of the fingers in some words, on the English and the Persian keyboard."""

from __future__ import annotations

import re
from random import Random
from typing import ClassVar, Literal

from pydantic import Field

from sevenfold.evaluate.perturbations import Perturbation
from sevenfold.keyboards import neighbours

WORD = re.compile(r"[^\W\d_]{4,}")
"""Letters alone: a slip in a number would ask for another one, and short words are easily turned into others."""
SLIPS: tuple[Literal["neighbour", "exchange", "doubling", "omission"], ...] = (
    "neighbour",
    "exchange",
    "doubling",
    "omission",
)


class Typos(Perturbation):
    """One slip in a share of the words of four letters and more.

    A neighbouring key, two letters exchanged, one doubled or left out. The first letter stays, as it does where people
    mistype.
    """

    says: ClassVar[str] = "a slip of the finger in some words"
    main = "share"
    share: float = Field(0.2, gt=0, le=1, description="Share of the words with a slip; one at least.")

    def change(self, text: str, draw: Random) -> str:
        """The text with slips."""
        words = list(WORD.finditer(text))
        if not words:
            return text
        chosen = draw.sample(range(len(words)), max(1, round(self.share * len(words))))
        for place in sorted(chosen, reverse=True):
            word = words[place]
            text = text[: word.start()] + slipped(word[0], draw) + text[word.end() :]
        return text


def slipped(word: str, draw: Random) -> str:
    """A word with one slip behind its first letter."""
    place = draw.randrange(1, len(word))
    letter, kind = word[place], draw.choice(SLIPS)
    if kind == "exchange" and place + 1 < len(word) and word[place + 1] != letter:
        return word[:place] + word[place + 1] + letter + word[place + 2 :]
    if kind == "neighbour" and letter.lower() in neighbours():
        hit = draw.choice(neighbours()[letter.lower()])
        return word[:place] + (hit.upper() if letter.isupper() else hit) + word[place + 1 :]
    if kind == "omission":
        return word[:place] + word[place + 1 :]
    return word[:place] + letter + word[place:]
