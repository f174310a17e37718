"""Words that name a protected attribute, from a list that anyone may copy and edit."""

from __future__ import annotations

import re
from pathlib import Path

from sevenfold.errors import DataError
from sevenfold.guard.words import escaped

OWN = Path(__file__).with_name("words.txt")
ENDING = r"(?:'s|\s?(?:ها|های|هایی|ی))?"
"""The possessive of English, and Persian's plural and indefinite endings."""


def patterns(path: Path) -> dict[tuple[str, str], re.Pattern[str]]:
    """One pattern for each group of an attribute: whole words.

    Raises:
        DataError: The file cannot be read, or a line is no entry.
    """
    found: dict[tuple[str, str], list[str]] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"the list of attributes cannot be read: {error}", where=str(path)) from None
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = [part.strip() for part in line.split("\t")]
        if len(parts) != 3 or not all(parts):
            raise DataError(
                f"{line!r} is no entry", where=f"{path}:{number}", expected="attribute, tab, group, tab, word"
            )
        found.setdefault((parts[0], parts[1]), []).append(parts[2])
    return {
        key: re.compile(rf"(?<!\w)(?:{'|'.join(sorted(map(escaped, words), key=len, reverse=True))}){ENDING}(?!\w)")
        for key, words in found.items()
    }
