"""Sentences of a text, in a column of their own."""

from __future__ import annotations

from collections.abc import Callable

import regex
from pydantic import Field

from sevenfold.prepare.clean._markup import names
from sevenfold.prepare.clean._words import Worded

END = regex.compile(r"(?:[.!?؟…]+[\"'”’»)\]]*(?=\s)|[。！？]+[」』”]*|\n+)")
SHORT = names(
    "mr mrs ms dr prof st jr sr vs etc e.g i.e cf vol eq ca al approx inc ltd co dept jan feb mar apr jun "
    "jul aug sep sept oct nov dec a.m p.m u.s u.k ph.d"
)
"""Short forms of English whose point ends no sentence; one letter alone (``J. Smith``) is one too."""
LAST_WORD = regex.compile(r"[\p{L}.]+(?=\.$)")


class Sentences(Worded):
    """Sentences, a line each, by their marks: Latin, Persian and Chinese ones, and line ends.

    A point behind a short form (`Dr.`, `e.g.`), behind a single letter, or before a small letter ends none.
    """

    separator: str = Field("\n", min_length=1, description="What stands between two sentences.")

    def finder(self) -> Callable[[str], list[str]]:
        """All sentences in order."""
        return sentences


def sentences(text: str) -> list[str]:
    """The sentences of a text."""
    found, start = [], 0
    for end in END.finditer(text):
        if ends(text, start, end.start(), end.end()):
            found.append(text[start : end.end()].strip())
            start = end.end()
    return [sentence for sentence in [*found, text[start:].strip()] if sentence]


def ends(text: str, start: int, mark: int, end: int) -> bool:
    """Whether a mark ends a sentence.

    Args:
        text: The whole text.
        start: Where the sentence begins.
        mark: Where the mark begins.
        end: Where it ends.
    """
    if text[mark] != "." or text[mark:end].strip() != ".":
        return True
    after = text[end:].lstrip()[:1]
    word = LAST_WORD.search(text[start : mark + 1])
    short = bool(word) and (word[0].lower() in SHORT or (len(word[0]) == 1 and word[0].isupper()))
    return not short and not after.islower()
