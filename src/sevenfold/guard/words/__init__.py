"""Lists of words that harmful text often has, one file a language: a category, a tab, a word or phrase a line."""

from __future__ import annotations

import re
from pathlib import Path

from sevenfold.errors import DataError

OWN = {language: Path(__file__).with_name(f"{language}.txt") for language in ("en", "fa")}
ALIKE = str.maketrans("يىكۀةأإٱ\u200c", "ییکههااا ")
"""Letters that are one in Persian, and the half-space as a space."""
ENDINGS = {"en": "(?:s|es|'s)?", "fa": "(?:\\s?(?:ها|های|هایی|هاي|ی|م|ت|ش))?"}


def plain(text: str) -> str:
    """A text as the words are compared: no case, Persian letters in one form."""
    return text.casefold().translate(ALIKE)


def entries(path: Path) -> dict[str, list[str]]:
    """The words of a file by category; lines that begin with # say nothing.

    Raises:
        DataError: The file cannot be read, or a line has no category.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"the list of words cannot be read: {error}", where=str(path)) from None
    found: dict[str, list[str]] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        category, tab, word = line.partition("\t")
        if not tab or not word.strip() or not category.strip():
            raise DataError(f"{line!r} is no entry", where=f"{path}:{number}", expected="a category, a tab, a word")
        found.setdefault(category.strip(), []).append(word.strip())
    return found


def patterns(path: Path, ending: str) -> dict[str, re.Pattern[str]]:
    """One pattern a category: whole words, with a language's common endings."""
    return {
        category: re.compile(
            rf"(?<!\w)(?:{'|'.join(sorted(map(escaped, words), key=len, reverse=True))}){ending}(?!\w)"
        )
        for category, words in entries(path).items()
    }


def escaped(word: str) -> str:
    """A word or phrase as a pattern; any white space may part a phrase."""
    return r"\s+".join(re.escape(part) for part in plain(word).split())
