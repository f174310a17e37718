"""No punctuation at the ends of words."""

from __future__ import annotations

import re
from random import Random
from typing import ClassVar

from sevenfold.evaluate.perturbations import Meaning, Perturbation

ENDING = re.compile(r"[.,;:!?…،؛؟«»\"“”]+(?=\s|\Z)|(?:(?<=\s)|\A)[«»\"“”]+(?=\S)")
"""Marks behind a word and quotation marks around it; those inside words and numbers (3.5, 1,000, 12:30) stay."""


class Punctuation(Perturbation):
    """Without the marks that end sentences and clauses, as in a chat. Clauses may be read in another way then."""

    says: ClassVar[str] = "no punctuation"
    meaning: ClassVar[Meaning] = "may change"

    def change(self, text: str, draw: Random) -> str:
        """The text without these marks."""
        return ENDING.sub("", text)
