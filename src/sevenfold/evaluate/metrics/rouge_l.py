"""Longest common subsequence of words."""

from __future__ import annotations

import unicodedata
from typing import ClassVar

from sevenfold.evaluate.metrics import AnswerMetric, Better

JOINERS = "\u200c\u200d"
"""Zero-width non-joiner and joiner: they stand inside words of Persian and of Indian scripts."""
UNSPACED = ("CJK UNIFIED", "CJK COMPAT", "HIRAGANA", "KATAKANA")
"""Scripts without spaces between words, where every character counts as a word."""


class RougeL(AnswerMetric):
    """ROUGE-L F1 of each answer, averaged over rows; 0 to 1, higher is better.

    With L the length of the longest common subsequence of words, ``P = L / words of the answer``,
    ``R = L / words of the reference``, ``F1 = 2 P R / (P + R)`` (Lin 2004, "ROUGE: A Package for Automatic
    Evaluation of Summaries", section 3, beta = 1). Words are runs of letters, marks and digits of any script, case
    folded: the usual implementation keeps a-z and 0-9 alone and so gives Persian 0.
    """

    better: ClassVar[Better] = "higher"
    unit: ClassVar[str] = "F1"
    high: ClassVar[float] = 1.0

    def value(self, answer: str, reference: str) -> float:
        """The F1 of one pair; where neither has a word, whether they are equal."""
        ours, theirs = words(answer), words(reference)
        if not ours and not theirs:
            return float(answer.strip() == reference.strip())
        return 2 * common_subsequence(ours, theirs) / (len(ours) + len(theirs))


def words(text: str) -> list[str]:
    """The words of a text in any script, NFKC, case folded."""
    parts = [separate(character) for character in unicodedata.normalize("NFKC", text).casefold()]
    return [stripped for word in "".join(parts).split() if (stripped := word.strip(JOINERS))]


def separate(character: str) -> str:
    """The character as it stands in a word, with spaces around it where it is a word, or a space."""
    if unicodedata.category(character)[0] in "LMN":
        alone = character > "\u2e80" and unicodedata.name(character, "").startswith(UNSPACED)
        return f" {character} " if alone else character
    return character if character in JOINERS else " "


def common_subsequence(first: list[str], second: list[str]) -> int:
    """The length of the longest common subsequence.

    Equals the textbook table of ``len(first) x len(second)`` cells; a row of the table is one integer here, whose zero
    bits mark where the length grows (Hyyrö 2004, "Bit-parallel LCS-length computation revisited").
    """
    places: dict[str, int] = {}
    for index, word in enumerate(first):
        places[word] = places.get(word, 0) | 1 << index
    full = (1 << len(first)) - 1
    row = full
    for word in second:
        hits = row & places.get(word, 0)
        row = ((row + hits) | (row - hits)) & full
    return len(first) - row.bit_count()
