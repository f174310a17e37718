"""Letters of another script that look the same."""

from __future__ import annotations

from random import Random
from typing import ClassVar

from pydantic import Field

from sevenfold.evaluate.perturbations import Perturbation

ALIKE = dict(zip("acdeijopsxyABCEHIJKMOPSTXYZ", "асԁеіјорѕхуАВСЕНІЈКМОРЅТХУΖ", strict=True))
"""Latin letters and Cyrillic ones (a Greek one for Z) that most fonts draw alike (Unicode's confusables, UTS 39)."""


class Homoglyphs(Perturbation):
    """A share of the Latin letters from another alphabet, as in text that hides from filters."""

    says: ClassVar[str] = "letters of another script that look the same"
    main = "share"
    share: float = Field(0.15, gt=0, le=1, description="Share of the letters with a double; one at least.")

    def change(self, text: str, draw: Random) -> str:
        """The text with doubles."""
        places = [place for place, letter in enumerate(text) if letter in ALIKE]
        letters = list(text)
        for place in draw.sample(places, min(len(places), max(1, round(self.share * len(places))))):
            letters[place] = ALIKE[letters[place]]
        return "".join(letters)
