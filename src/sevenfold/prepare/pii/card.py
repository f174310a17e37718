"""Numbers of payment cards: a known beginning, the length that belongs to it, and the Luhn check digit."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sevenfold.prepare.pii import ALONE_AFTER, ALONE_BEFORE, Detector, Span, digits, luhn

NUMBER = re.compile(rf"{ALONE_BEFORE}\d(?:[ -]?\d){{12,18}}{ALONE_AFTER}")
ISSUED = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|5[0-9]\d{14}|2(?:2[2-9]|[3-6]\d|7[01])\d{13}|2720\d{12}|220[0-4]\d{12}|3[47]\d{13}|"
    r"3(?:0[0-5]|[689]\d)\d{11}|35\d{14}|6\d{15}|62\d{14,17}|9792\d{12}"
)
"""Visa, Mastercard and Maestro, Mir, American Express, Diners, JCB, UnionPay, Troy; 50, 58 and 60 to 63 are also those
of Iranian banks (ISO/IEC 7812)."""


class Card(Detector):
    """Numbers of payment cards, Iranian banks' included, whose check digit is right."""

    def find(self, text: str) -> Iterable[Span]:
        """Look at every number that is long enough."""
        for match in NUMBER.finditer(text):
            number = digits(match[0])
            if ISSUED.fullmatch(number) and len(set(number)) > 1 and luhn(number):
                yield Span(*match.span())
