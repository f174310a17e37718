"""Slips of the fingers: a neighbouring key, two letters exchanged, one doubled, one left out."""

from __future__ import annotations

from random import Random
from typing import Literal

from pydantic import Field

from sevenfold.keyboards import neighbours
from sevenfold.prepare.augment import Augmenter, amount, free_places

Slip = Literal["neighbour", "transposition", "doubling", "omission"]
SLIPS: tuple[Slip, ...] = ("neighbour", "transposition", "doubling", "omission")


class Typos(Augmenter):
    """Slips of the fingers on a QWERTY keyboard and on the Persian one (ISIRI 9147); placeholders stay."""

    main = "share"
    share: float = Field(0.03, gt=0, le=0.5, description="Slips as a share of a text's letters; at least one slip.")
    slips: tuple[Slip, ...] = Field(SLIPS, min_length=1, description="Which slips there are, each as likely.")

    def change(self, text: str, random: Random) -> str | None:
        """The text with slips."""
        letters = free_places(text, lambda character: character.lower() in neighbours())
        if not letters:
            return None
        chosen = random.sample(letters, min(len(letters), amount(self.share, len(letters))))
        allowed, characters = set(letters), list(text)
        for place in sorted(chosen, reverse=True):
            slip(characters, place, random.choice(self.slips), random, place + 1 in allowed)
        return "".join(characters)


def slip(characters: list[str], place: int, kind: Slip, random: Random, before_letter: bool) -> None:
    """One slip at a letter; what comes behind has been done already."""
    letter = characters[place]
    if kind == "transposition" and before_letter and place + 1 < len(characters):
        characters[place : place + 2] = [characters[place + 1], letter]
    elif kind == "doubling":
        characters[place] = letter * 2
    elif kind == "omission":
        characters[place] = ""
    else:
        hit = random.choice(neighbours()[letter.lower()])
        characters[place] = hit.upper() if letter.isupper() else hit
