"""White space: one kind of line end, none behind lines, none around a text."""

from __future__ import annotations

import re
from collections.abc import Callable

from pydantic import Field

from sevenfold.prepare.clean import Outcome, Single, rewritten
from sevenfold.prepare.dataset import Row

LINE_END = re.compile("\r\n|\r|\x85|\u2028|\u2029")
BEHIND_LINE = re.compile(r"[ \t]+(?=\n|$)")
MANY_BLANK_LINES = re.compile(r"\n{4,}")
BLANK_FIRST_LINES = re.compile(r"\A(?:[ \t]*\n)+")


BETWEEN_WORDS = re.compile(r"(?<=[^\s])[ \t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+(?=[^\s])")


class Whitespace(Single):
    """Line ends as newlines, white space behind lines and around texts removed; more than two blank lines are two."""

    single: bool = Field(
        False,
        description="Whether spaces of every kind between two words become one plain space; not for code or poems, "
        "whose columns would go.",
    )

    def start(self) -> Callable[[Row], Outcome]:
        """Clean every message."""
        change = tidied if self.single else clean
        return lambda row: rewritten(row, change)


def tidied(text: str) -> str:
    """A text with tidy white space and one plain space between words."""
    return BETWEEN_WORDS.sub(" ", clean(text))


def clean(text: str) -> str:
    """A text with tidy white space; indentation, also that of the first of several lines, stays."""
    # Looking for a few characters takes a tenth of what a pattern takes that finds nothing.
    if text.isprintable() and text.strip(" ") == text:
        return text
    text = LINE_END.sub("\n", text)
    if " \n" in text or "\t\n" in text or text[-1:] in " \t":
        text = BEHIND_LINE.sub("", text)
    text = MANY_BLANK_LINES.sub("\n\n\n", text)
    text = BLANK_FIRST_LINES.sub("", text).rstrip()
    return text if "\n" in text else text.lstrip()
