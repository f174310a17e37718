"""Arabic forms of Persian letters, which many keyboards write."""

from __future__ import annotations

from random import Random
from typing import ClassVar

from sevenfold.evaluate.perturbations import Perturbation

ARABIC = str.maketrans("یک", "يك")
"""The letters ye and kaf (U+06CC, U+06A9) as an Arabic keyboard writes them (U+064A, U+0643)."""


class ArabicLetters(Perturbation):
    """The Arabic ye and kaf for the Persian ones: other code points, the same word to a reader."""

    says: ClassVar[str] = "Arabic forms of Persian letters"

    def change(self, text: str, draw: Random) -> str:
        """The text with these letters."""
        return text.translate(ARABIC)
