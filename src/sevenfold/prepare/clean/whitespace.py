"""White space: one kind of line end, none behind lines, none around a text."""

from __future__ import annotations

import re
from collections.abc import Callable

from sevenfold.prepare.clean import Outcome, Step, rewritten
from sevenfold.prepare.dataset import Row

LINE_END = re.compile("\r\n|\r|\x85|\u2028|\u2029")
BEHIND_LINE = re.compile(r"[ \t]+(?=\n|$)")
MANY_BLANK_LINES = re.compile(r"\n{4,}")
BLANK_FIRST_LINES = re.compile(r"\A(?:[ \t]*\n)+")


class Whitespace(Step):
    """Line ends as newlines, white space behind lines and around texts removed; more than two blank lines are two."""

    def start(self) -> Callable[[Row], Outcome]:
        """Clean every message."""
        return lambda row: rewritten(row, clean)


def clean(text: str) -> str:
    """A text with tidy white space; indentation, also that of the first of several lines, stays."""
    text = LINE_END.sub("\n", text)
    text = BEHIND_LINE.sub("", text)
    text = MANY_BLANK_LINES.sub("\n\n\n", text)
    text = BLANK_FIRST_LINES.sub("", text).rstrip()
    return text if "\n" in text else text.lstrip()
