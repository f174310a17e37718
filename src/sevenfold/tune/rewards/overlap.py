"""How much of the reference's characters the answer has, in order."""

from __future__ import annotations

from typing import ClassVar

from sevenfold.tune.rewards import Answered, Reward
from sevenfold.tune.rewards.exact_match import normalised


class Overlap(Reward):
    """``2 L / (characters of the answer + of the reference)``, L the longest common subsequence; 0 to 1.

    It says which of two wrong answers is nearer, so it leads to answers that are right where exact matches are too
    rare to learn from. A long answer has a low value: its characters count below the line.
    """

    apart: ClassVar[bool] = False

    def value(self, answered: Answered) -> float:
        """The share; 1.0 where both are empty."""
        ours, theirs = normalised(answered.answer), normalised(answered.reference)
        total = len(ours) + len(theirs)
        return 2 * common(ours, theirs) / total if total else 1.0


def common(first: str, second: str) -> int:
    """The length of the longest common subsequence of two texts.

    Equals the textbook table; a row of it is one integer (Hyyrö 2004, "Bit-parallel LCS-length computation
    revisited").
    """
    places: dict[str, int] = {}
    for index, character in enumerate(first):
        places[character] = places.get(character, 0) | 1 << index
    full = (1 << len(first)) - 1
    row = full
    for character in second:
        hits = row & places.get(character, 0)
        row = ((row + hits) | (row - hits)) & full
    return len(first) - row.bit_count()
