"""Unicode: one form for each character, no characters that nobody sees and nobody meant."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from sevenfold.prepare.clean import Outcome, Single, rewritten
from sevenfold.prepare.dataset import Row

JUNK = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b\u2060\ufeff\ufff9-\ufffb]")
"""Control characters other than tab and line ends, soft hyphens, zero-width spaces, byte order marks.

What carries meaning stays: ZWNJ (U+200C, inside Persian words), ZWJ (U+200D, Indic scripts, emoji), and the marks of
direction (U+200E, U+200F).
"""


class Unicode(Single):
    """Normal form C; control characters and zero-width junk removed; Persian's ZWNJ kept."""

    def start(self) -> Callable[[Row], Outcome]:
        """Clean every message."""
        return lambda row: rewritten(row, clean)


def clean(text: str) -> str:
    """A text in normal form C without junk; doing it twice is doing it once."""
    if text.isascii() and text.isprintable():
        return text
    # Junk goes first: between a letter and its accent it would keep the two from composing.
    return unicodedata.normalize("NFC", JUNK.sub("", text))
