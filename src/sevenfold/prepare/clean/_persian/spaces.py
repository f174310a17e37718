"""Spaces and punctuation between Persian words."""

from __future__ import annotations

import re

from sevenfold.prepare.clean._persian.letters import LETTER, MARK

AFTER = f"(?:(?<={LETTER})|(?<={MARK})|(?<=[۰-۹٪»)]))"
"""Behind something Persian."""

RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    # Persian's own comma, semicolon and question mark behind a Persian word.
    (re.compile(f"{AFTER}( *),(?=\\s|$)"), "\\1،"),
    (re.compile(f"{AFTER}( *);(?=\\s|$)"), "\\1؛"),
    (re.compile(f"{AFTER}( *)\\?(?=[\\s!؟?»)]|$)"), "\\1؟"),
    # Several spaces between Persian words are one; indentation is not between words.
    (re.compile(f"(?:{AFTER}|(?<=[،؛؟!.:«(])) {{2,}}(?=\\S)"), " "),
    (re.compile(f"{AFTER} +(?=[،؛؟])"), ""),
    (re.compile(f"{AFTER} +(?=[.!:](?:\\s|$))"), ""),
    (re.compile(f"(?<=[«]) +(?={LETTER}|[۰-۹])"), ""),
    (re.compile(f"{AFTER} +(?=»)"), ""),
    # One space behind punctuation; a full stop only between whole words, not in an abbreviation.
    (re.compile(f"(?<=[،؛؟])(?={LETTER}|[«(])"), " "),
    (re.compile(f"(?<={LETTER}{LETTER}[.!:])(?={LETTER}{LETTER})"), " "),
    (re.compile(f"(?<={LETTER})(?=«)|(?<=»)(?={LETTER})"), " "),
)


def spaces(text: str) -> str:
    """The text with each rule done in turn."""
    for pattern, put in RULES:
        text = pattern.sub(put, text)
    return text
