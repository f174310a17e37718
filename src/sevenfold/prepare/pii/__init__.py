"""Personal data in texts: one detector a kind, one file each."""

from __future__ import annotations

import re
from abc import abstractmethod
from bisect import bisect
from collections.abc import Iterable
from typing import NamedTuple

from sevenfold.registry import Registry
from sevenfold.schema import Component

LATIN_DIGITS = str.maketrans("۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩０１２３４５６７８９", "0123456789" * 3)
"""Persian, Arabic and full-width digits to Latin ones, each one character for one."""

REACH = 40
"""Characters before a number in which a word that names it is looked for."""
ALONE_BEFORE, ALONE_AFTER = r"(?<![A-Za-z0-9_])(?<![0-9][.,/-])", r"(?![A-Za-z0-9_])(?![.,/-][0-9])"
"""A number stands alone: it is no part of a word, of a longer number, or of a fraction."""


class Span(NamedTuple):
    """Where a value stands in a text: from ``start``, up to and without ``end``."""

    start: int
    end: int


class Found(NamedTuple):
    """A value with its kind, the detector's name."""

    kind: str
    span: Span


class Detector(Component):
    """Finds one kind of personal data; the file's name is the kind and, in capitals, the placeholder."""

    @abstractmethod
    def find(self, text: str) -> Iterable[Span]:
        """Where values of this kind stand.

        Args:
            text: A message whose digits are Latin; it has the length of what was written.
        """

    def fingerprints(self) -> dict[str, str]:
        """SHA-256 of the files that are read, by their paths; a changed file means a new result."""
        return {}


DETECTORS = Registry(__name__, Detector)
DEFAULT = ("secret", "credentials", "email", "iban", "card", "national_id", "ssn", "ip", "phone")
"""The kinds in order: where two overlap, the earlier is taken."""


def default_detectors() -> list[Detector]:
    """Every kind with its default settings."""
    return [DETECTORS.find(name)() for name in DEFAULT]


def search(text: str, detectors: Iterable[Detector]) -> list[Found]:
    """All values in a text, in the order in which they stand; none overlaps another."""
    latin = text if text.isascii() else text.translate(LATIN_DIGITS)
    taken: list[Found] = []
    for detector in detectors:
        kind = DETECTORS.name_of(detector)
        for span in detector.find(latin):
            place = bisect(taken, span, key=lambda found: found.span)
            if fits(span, taken, place):
                taken.insert(place, Found(kind, span))
    return taken


def fits(span: Span, taken: list[Found], place: int) -> bool:
    """Whether a span overlaps neither neighbour of its place among those taken."""
    free_before = place == 0 or taken[place - 1].span.end <= span.start
    return free_before and (place == len(taken) or span.end <= taken[place].span.start)


def digits(text: str) -> str:
    """The digits of a text alone."""
    return "".join(character for character in text if character.isdigit())


def luhn(number: str) -> bool:
    """Whether the last digit is the check digit of ISO/IEC 7812-1, annex B."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in number[-2::-2])
    return (sum(doubled) + sum(map(int, number[-1::-2]))) % 10 == 0


def named(words: re.Pattern[str], text: str, start: int) -> bool:
    """Whether one of some words stands shortly before a place in the text."""
    return words.search(text, max(0, start - REACH), start) is not None
