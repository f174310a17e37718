"""Noise in characters: some lost, some in between, some replaced, as scans and bad channels leave it."""

from __future__ import annotations

from random import Random
from typing import Literal

from pydantic import Field

from sevenfold.prepare.augment import Augmenter, amount, free_places

Noise = Literal["drop", "insert", "replace"]
NOISES: tuple[Noise, ...] = ("drop", "insert", "replace")


class Characters(Augmenter):
    """Characters dropped, inserted and replaced; the new ones are letters of the same text, so of its script."""

    main = "share"
    share: float = Field(0.03, gt=0, le=0.5, description="Changes as a share of the letters; at least one.")
    noises: tuple[Noise, ...] = Field(NOISES, min_length=1, description="Which changes there are, each as likely.")

    def change(self, text: str, random: Random) -> str | None:
        """The text with noise."""
        letters = free_places(text, str.isalpha)
        if len(letters) < 2:
            return None
        pool, characters = [text[place] for place in letters], list(text)
        for place in random.sample(letters, min(len(letters), amount(self.share, len(letters)))):
            kind = random.choice(self.noises)
            if kind == "drop":
                characters[place] = ""
            else:
                kept = characters[place] if kind == "insert" else ""
                characters[place] = kept + random.choice(pool)
        return "".join(characters)
