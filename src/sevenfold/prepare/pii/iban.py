"""Numbers of bank accounts: IBAN with its check digits, the Iranian sheba also without its letters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sevenfold.prepare.pii import ALONE_AFTER, ALONE_BEFORE, Detector, Span, named

LENGTHS = {
    country: int(length)
    for length, countries in (
        (15, "NO"), (16, "BE"), (18, "DK FI FK FO GL NL SD"), (19, "MK SI"), (20, "AT BA EE KZ LT LU MN XK"),
        (21, "CH HR LI LV"), (22, "BG BH CR DE GB GE IE ME RS VA"), (23, "AE GI IL IQ OM SO TL"),
        (24, "AD CZ DZ ES MD PK RO SA SE SK TN VG"), (25, "LY PT ST"), (26, "IR IS TR"),
        (27, "BI DJ FR GR IT MC MR SM"), (28, "AL AZ BY CY DO GT HN HU LB NI PL SV"), (29, "BR EG PS QA UA"),
        (30, "JO KW MU YE"), (31, "MT SC"), (32, "LC"), (33, "RU"),
    )
    for country in countries.split()
}  # fmt: skip
"""Characters of an IBAN by country: the registry of ISO 13616."""
NUMBER = re.compile(rf"{ALONE_BEFORE}[A-Z]{{2}} ?\d{{2}}(?:[ -]?[A-Z0-9]){{11,29}}", re.IGNORECASE)
BARE = re.compile(rf"{ALONE_BEFORE}\d{{2}}(?:[ -]?\d){{22}}{ALONE_AFTER}")
SHEBA = re.compile(r"شبا|sheba|iban", re.IGNORECASE)
ENDS = re.compile(r"[A-Za-z0-9_]")


class Iban(Detector):
    """IBANs of their country's length with right check digits; after `شبا` or `sheba` also without IR."""

    def find(self, text: str) -> Iterable[Span]:
        """Look at what begins as an IBAN, then at bare numbers of 24 digits."""
        for match in NUMBER.finditer(text):
            end = whole(text, match)
            if end is not None:
                yield Span(match.start(), end)
        for match in BARE.finditer(text):
            if named(SHEBA, text, match.start()) and valid("IR" + compact(match[0])):
                yield Span(*match.span())


def whole(text: str, match: re.Match[str]) -> int | None:
    """Where a valid IBAN ends that a match begins with: words behind it may have matched too."""
    wanted = LENGTHS.get(match[0][:2].upper())
    if wanted is None:
        return None
    end = next((end for end, count in counted(match) if count == wanted), None)
    if end is None or ENDS.match(text, end) or not valid(compact(text[match.start() : end])):
        return None
    return end


def counted(match: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Behind each letter or digit of a match: the place, and how many there were so far."""
    count = 0
    for place, character in enumerate(match[0], start=match.start() + 1):
        count += character not in " -"
        yield place, count


def compact(written: str) -> str:
    """An IBAN without what parts its groups, in capitals."""
    return written.replace(" ", "").replace("-", "").upper()


def valid(number: str) -> bool:
    """Whether the check digits are right: ISO 7064, modulo 97-10, letters as 10 to 35."""
    turned = number[4:] + number[:4]
    return int("".join(str(int(character, 36)) for character in turned)) % 97 == 1
