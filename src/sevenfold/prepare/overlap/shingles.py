"""Shingles: the overlapping pieces of a text whose sets are compared (Broder 1997, "On the resemblance")."""

from __future__ import annotations

LONG = 40
"""From this number of words a text is compared by words; in a shorter one each word would weigh too much."""
WORDS = 3
CHARACTERS = 5


def word_shingles(words: list[str]) -> set[str]:
    """Every three words in a row; the whole text when it has fewer."""
    if not words:
        return set()
    return {" ".join(words[start : start + WORDS]) for start in range(max(1, len(words) - WORDS + 1))}


def character_shingles(words: list[str]) -> set[str]:
    """Every five characters in a row, a space between words; the whole text when it has fewer."""
    text = " ".join(words)
    if not text:
        return set()
    return {text[start : start + CHARACTERS] for start in range(max(1, len(text) - CHARACTERS + 1))}


def similarity(first: list[str], second: list[str]) -> float:
    """Jaccard similarity of two texts: shingles in both over shingles in either, 0 to 1.

    Two texts are compared by words if one of them is long, else by characters. Two empty texts are the same.
    """
    shingles = word_shingles if max(len(first), len(second)) >= LONG else character_shingles
    one, other = shingles(first), shingles(second)
    return len(one & other) / len(one | other) if one or other else 1.0


def signed(words: list[str], threshold: float) -> list[set[str]]:
    """The sets by which a text is looked for: one, or two when its partner may be on the other side of ``LONG``."""
    sets = []
    if len(words) < LONG:
        sets.append(character_shingles(words))
    if len(words) >= threshold * LONG:
        sets.append(word_shingles(words))
    return [shingles for shingles in sets if shingles]
