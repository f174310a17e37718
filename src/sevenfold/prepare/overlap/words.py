"""A text as words for comparison: what does not change what is said (case, marks, letter forms) is gone."""

from __future__ import annotations

import unicodedata

import regex

SPACELESS = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
WORD = regex.compile(rf"[{SPACELESS}]\p{{M}}*|[[\p{{L}}\p{{M}}\p{{N}}]--[{SPACELESS}]]+", regex.V1)
"""Letters, marks and digits in a row; of scripts that put no spaces between words, one character with its marks."""
OF_SPACELESS = regex.compile(rf"[{SPACELESS}]")
LETTERS = str.maketrans(
    {
        **dict.fromkeys("يى", "ی"),
        "ك": "ک",
        **{chr(zero + digit): str(digit) for zero in (0x660, 0x6F0) for digit in range(10)},
        **{chr(mark): None for mark in (*range(0x64B, 0x653), 0x670, 0x640)},
    }
)
"""Arabic forms of Persian letters and the digits of both to one form; vowel marks and the tatweel to nothing."""
ALONE = "\ufdd0"
"""Stands for characters of scripts without spaces; it is no character of any text's words itself."""


class Spaced(dict[int, "str | int | None"]):
    """Each character as it stands in words, and a space for what parts them; filled as characters are met."""

    def __missing__(self, code: int) -> str | int | None:
        form = LETTERS.get(code, code)
        letter = form if isinstance(form, str) else chr(form) if form is not None else None
        if letter is not None and OF_SPACELESS.match(letter):
            form = ALONE
        elif letter is not None and not WORD.match(letter):
            form = " "
        self[code] = form
        return form


SPACED = Spaced()


def words_of(text: str) -> list[str]:
    """The words of a text; Persian's ZWNJ parts them as a space does."""
    # The strictest form of ``keys.folded``; its spaces need no tidying, since all that is no word becomes one here.
    text = text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()
    spaced = text.translate(SPACED)
    return WORD.findall(text.translate(LETTERS)) if ALONE in spaced else spaced.split()
