"""The Iranian national id (kod-e melli), with its check digit."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pydantic import Field

from sevenfold.prepare.pii import ALONE_AFTER, ALONE_BEFORE, Detector, Span, digits, named

NUMBER = re.compile(rf"{ALONE_BEFORE}(?:\d{{10}}|\d{{3}}-\d{{6}}-\d){ALONE_AFTER}")
NAME = re.compile(
    r"کد\s*[\u200c]?\s*مل[یي]|شماره\s*[\u200c]?\s*مل[یي]|national\s+(?:id|code|number)|ko?d-?e?\s*mell?i", re.I
)
PERSIAN = re.compile("[پچژگکی]")
"""Letters that Persian has and Arabic writes otherwise."""


class NationalId(Detector):
    """Iranian national ids of ten digits whose check digit is right.

    Every eleventh number of ten digits passes the check, so that a number counts only in a text with Persian letters,
    after a word that names it (`national id`), or where it is parted as ids are (`123-456789-0`).
    """

    anywhere: bool = Field(False, description="Whether every number that passes the check counts, in any text.")

    def find(self, text: str) -> Iterable[Span]:
        """Look at every number of ten digits."""
        trusted = self.anywhere or PERSIAN.search(text) is not None
        for match in NUMBER.finditer(text):
            told = trusted or "-" in match[0] or named(NAME, text, match.start())
            if told and valid(digits(match[0])):
                yield Span(*match.span())


def valid(number: str) -> bool:
    """Whether the tenth digit fits the nine before it: their sum weighted 10 to 2, modulo 11.

    The remainder itself is the check digit where it is below 2, and 11 less the remainder otherwise. Ten equal digits
    are given to nobody.
    """
    rest = sum(int(digit) * weight for digit, weight in zip(number, range(10, 1, -1), strict=False)) % 11
    return len(set(number)) > 1 and int(number[9]) == (rest if rest < 2 else 11 - rest)
