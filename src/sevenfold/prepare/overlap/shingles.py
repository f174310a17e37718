"""Shingles: the overlapping pieces of a text whose sets are compared (Broder 1997, "On the resemblance")."""

from __future__ import annotations

from functools import cached_property

LONG = 40
"""From this number of words a text is compared by words; in a shorter one each word would weigh too much."""
WORDS = 3
CHARACTERS = 5


def word_shingles(words: list[str]) -> list[str]:
    """Every three words in a row; the whole text when it has fewer."""
    if len(words) < WORDS:
        return [" ".join(words)] if words else []
    return [" ".join(three) for three in zip(words, words[1:], words[2:], strict=False)]


def character_shingles(words: list[str]) -> list[str]:
    """Every five characters in a row, a space between words; the whole text when it has fewer."""
    text = " ".join(words)
    if not text:
        return []
    return [text[start : start + CHARACTERS] for start in range(max(1, len(text) - CHARACTERS + 1))]


class Text:
    """A text that is compared with several others: its sets are made once.

    Args:
        words: Its words.
    """

    def __init__(self, words: list[str]) -> None:
        self.words = words

    @cached_property
    def by_words(self) -> set[str]:
        """Its shingles of words."""
        return set(word_shingles(self.words))

    @cached_property
    def by_characters(self) -> set[str]:
        """Its shingles of characters."""
        return set(character_shingles(self.words))


def alike(first: Text, second: Text) -> float:
    """Jaccard similarity of two texts: shingles in both over shingles in either, 0 to 1.

    Two texts are compared by words if one of them is long, else by characters. Two empty texts are the same.
    """
    by_words = max(len(first.words), len(second.words)) >= LONG
    one, other = (text.by_words if by_words else text.by_characters for text in (first, second))
    both = len(one & other)
    return both / (len(one) + len(other) - both) if one or other else 1.0


def similarity(first: list[str], second: list[str]) -> float:
    """The same of two lists of words."""
    return alike(Text(first), Text(second))


def signed(words: list[str], threshold: float) -> list[list[str]]:
    """The shingles by which a text is looked for: one list, or two when its partner may be beyond ``LONG``.

    A shingle may stand in it several times, which changes no signature.
    """
    found = []
    if len(words) < LONG:
        found.append(character_shingles(words))
    if len(words) >= threshold * LONG:
        found.append(word_shingles(words))
    return [shingles for shingles in found if shingles]
