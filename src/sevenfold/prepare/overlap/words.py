"""A text as words for comparison: what does not change what is said (case, marks, letter forms) is gone."""

from __future__ import annotations

import regex

from sevenfold.prepare.keys import folded

SPACELESS = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
WORD = regex.compile(rf"[{SPACELESS}]\p{{M}}*|[[\p{{L}}\p{{M}}\p{{N}}]--[{SPACELESS}]]+", regex.V1)
"""Letters, marks and digits in a row; of scripts that put no spaces between words, one character with its marks."""
LETTERS = str.maketrans(
    {
        **dict.fromkeys("يى", "ی"),
        "ك": "ک",
        **{chr(zero + digit): str(digit) for zero in (0x660, 0x6F0) for digit in range(10)},
        **{chr(mark): None for mark in (*range(0x64B, 0x653), 0x670, 0x640)},
    }
)
"""Arabic forms of Persian letters and the digits of both to one form; vowel marks and the tatweel to nothing."""


def words_of(text: str) -> list[str]:
    """The words of a text; Persian's ZWNJ parts them as a space does."""
    text = folded(text)
    return WORD.findall(text if text.isascii() else text.translate(LETTERS))
