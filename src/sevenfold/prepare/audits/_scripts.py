"""The scripts that a text is written in, by the ranges of Unicode."""

from __future__ import annotations

from collections import Counter

import regex

SCRIPTS = (
    "Latin",
    "Arabic",
    "Cyrillic",
    "Han",
    "Hiragana",
    "Katakana",
    "Hangul",
    "Greek",
    "Hebrew",
    "Devanagari",
    "Bengali",
    "Tamil",
    "Thai",
    "Armenian",
    "Georgian",
    "Ethiopic",
)
PATTERNS = {name: regex.compile(rf"\p{{Script={name}}}+") for name in SCRIPTS}
LETTERS = regex.compile(r"\p{L}+")
OTHER, NONE = "other", "no letters"
MOST = 4000
"""Characters of a text that are looked at."""


def scripts_of(text: str) -> Counter[str]:
    """Letters by script; Persian, Urdu and Kurdish are written in Arabic's."""
    text = text[:MOST]
    letters = sum(map(len, LETTERS.findall(text)))
    found: Counter[str] = Counter()
    for name, pattern in PATTERNS.items():
        if found.total() >= letters:
            break
        found[name] = sum(map(len, pattern.findall(text)))
    found[OTHER] = max(0, letters - found.total())
    return +found


def language_name(code: str) -> str:
    """A language's English name with its code; a code that Babel does not know, a script for example, stays."""
    from babel import Locale, UnknownLocaleError

    try:
        return f"{Locale.parse(code).get_language_name('en')} ({code})"
    except (UnknownLocaleError, ValueError):
        return code


def main_script(found: Counter[str]) -> str:
    """The script of most letters."""
    return found.most_common(1)[0][0] if found else NONE
