"""Letters, digits and marks: which Unicode characters Persian is written with."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

ZWNJ = "\u200c"
LETTER = "[\u0621-\u063a\u0641-\u064a\u066e-\u06d3\u06d5\u06fa-\u06ff]"
"""A letter of the Arabic script."""
MARK = "[\u064b-\u0655\u0670]"
"""A diacritic of the Arabic script."""
KASHIDA = re.compile(f"(?<={LETTER})(?:{MARK}|\u0640)+|(?<!{MARK})(?<!\u0640)(?:{MARK}|\u0640)+(?={LETTER})")
"""The stretching of letters, with the marks upon it, beside a letter."""
DIACRITICS = re.compile("(?<=[\u0621-\u064a\u066e-\u06d3])[\u064b-\u0652\u0670]+")
"""Vowel signs, tanwin, tashdid and sukun behind a letter; hamza above (U+0654) is orthography and stays."""
FORMS = re.compile("[\ufb50-\ufbb1\ufbd3-\ufd3d\ufd50-\ufdcf\ufdf0-\ufdf4\ufe70-\ufefc]+")
"""Presentation forms of letters: they come from PDF files. Those of whole phrases (U+FDFA) stay."""

LETTERS = str.maketrans({
    "ي": "ی",
    "ى": "ی",
    "ك": "ک",
    "ە": "ه",
    "ہ": "ه",
    "ھ": "ه",
    "ٱ": "ا",
    "ۀ": "ه\u0654",
})  # fmt: skip
"""Arabic and look-alike letters to those of the Persian keyboard (ISIRI 9147, the Academy)."""

PERSIAN_DIGITS, ARABIC_DIGITS, LATIN_DIGITS = "۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩", "0123456789"
Digits = Literal["persian", "all_persian", "latin", "keep"]
TO_PERSIAN = str.maketrans(ARABIC_DIGITS, PERSIAN_DIGITS)
TO_LATIN = str.maketrans(ARABIC_DIGITS + PERSIAN_DIGITS, LATIN_DIGITS * 2)
LATIN_TO_PERSIAN = str.maketrans(LATIN_DIGITS, PERSIAN_DIGITS)
LONE_NUMBER = re.compile(r"(?<![A-Za-z0-9_.,:/#-])\d+(?:[.,:/-]\d+)*(?![A-Za-z0-9_#/-])")
"""A number of Latin digits that is part of no Latin word: not that of ``GPT4`` or ``v2.1``."""


def words(text: str) -> frozenset[str]:
    """The words of a list that is written as text."""
    return frozenset(text.split())


def letters(text: str) -> str:
    """Persian letters for Arabic ones and for presentation forms; no kashida; normal form C."""
    # A letter with its hamza is composed first, so that ي with a hamza is ئ and no ی.
    text = unicodedata.normalize("NFC", FORMS.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text))
    text = KASHIDA.sub(lambda found: found[0].replace("\u0640", ""), text.translate(LETTERS))
    return unicodedata.normalize("NFC", text)


def digits(text: str, kind: Digits) -> str:
    """Digits of one kind.

    Args:
        text: A text.
        kind: ``persian``: Arabic digits become Persian; ``all_persian``: Latin ones too, but for those in Latin words;
            ``latin``: all become Latin; ``keep``: none changes.
    """
    if kind == "latin":
        return text.translate(TO_LATIN)
    if kind in {"persian", "all_persian"}:
        text = text.translate(TO_PERSIAN)
    if kind == "all_persian":
        text = LONE_NUMBER.sub(lambda found: found[0].translate(LATIN_TO_PERSIAN), text)
    return text
