"""Digits of the other script: Latin ones in Persian digits, Persian and Arabic ones in Latin digits."""

from __future__ import annotations

from random import Random
from typing import ClassVar

from sevenfold.evaluate.perturbations import Perturbation

LATIN, PERSIAN, ARABIC = "0123456789", "۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩"
OTHER = str.maketrans(LATIN + PERSIAN + ARABIC, PERSIAN + LATIN * 2)


class PersianDigits(Perturbation):
    """Each digit in the other script; every number stays the same number."""

    says: ClassVar[str] = "Latin digits for Persian ones, and the other way round"

    def change(self, text: str, draw: Random) -> str:
        """The text with these digits."""
        return text.translate(OTHER)
