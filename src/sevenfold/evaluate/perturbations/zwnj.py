"""The zero-width non-joiner left out."""

from __future__ import annotations

from random import Random
from typing import ClassVar

from sevenfold.evaluate.perturbations import Perturbation

ZWNJ = "\u200c"


class Zwnj(Perturbation):
    """Persian without its half space, as many people type: می‌خواهم as میخواهم."""

    says: ClassVar[str] = "the half space left out"

    def change(self, text: str, draw: Random) -> str:
        """The text without it."""
        return text.replace(ZWNJ, "")
