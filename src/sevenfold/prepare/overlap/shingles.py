"""Shingles: the overlapping pieces of a text whose sets are compared (Broder 1997, "On the resemblance").

Each is a number of 64 bits made of its characters, many texts at a time. Two shingles that differ have the same number
once in 10^19, so that the sets of numbers are as alike as the sets of pieces.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import chain, pairwise
from typing import TYPE_CHECKING, NamedTuple

from sevenfold.prepare.overlap.mixing import mixed

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

LONG = 40
"""From this number of words a text is compared by words; in a shorter one each word would weigh too much."""
WORDS = 3
CHARACTERS = 5
NOTHING = "\0"
"""Fills up a text that is shorter than a shingle; no word has it."""
PLACE = 21
"""Bits of a character; behind them is its place in the word."""


class Shingles(NamedTuple):
    """The shingles of several texts; one may stand in a text several times.

    Args:
        numbers: Of all texts, one behind the other.
        starts: Where those of each text begin, and where the last ends.
    """

    numbers: NDArray[numpy.uint64]
    starts: NDArray[numpy.int64]

    def sets(self) -> list[frozenset[int]]:
        """Those of each text, each once."""
        numbers, starts = self.numbers.tolist(), self.starts.tolist()
        return [frozenset(numbers[start:end]) for start, end in pairwise(starts)]


def character_shingles(texts: Sequence[Sequence[str]]) -> Shingles:
    """Every five characters in a row of each text's words, a space between words; of a shorter text the whole."""
    import numpy

    joined = [" ".join(words).ljust(CHARACTERS, NOTHING) if words else "" for words in texts]
    return windows(codes("".join(joined)), numpy.fromiter(map(len, joined), numpy.int64, len(joined)), CHARACTERS)


def word_shingles(texts: Sequence[Sequence[str]]) -> Shingles:
    """Every three words in a row of each text; of a text with fewer the whole."""
    import numpy

    filled = [[*words, *[NOTHING] * (WORDS - len(words))] if words else [] for words in texts]
    said = list(chain.from_iterable(filled))
    return windows(word_numbers(said), numpy.fromiter(map(len, filled), numpy.int64, len(filled)), WORDS)


def codes(text: str) -> NDArray[numpy.uint64]:
    """The characters of a text as numbers."""
    import numpy

    return numpy.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(numpy.uint64)


def word_numbers(words: Sequence[str]) -> NDArray[numpy.uint64]:
    """A number for each word: the sum of what its characters are at their places."""
    import numpy

    sizes = numpy.fromiter(map(len, words), numpy.int64, len(words))
    if not len(sizes):
        return numpy.zeros(0, numpy.uint64)
    starts = numpy.cumsum(sizes) - sizes
    places = numpy.arange(sizes.sum(), dtype=numpy.int64) - numpy.repeat(starts, sizes)
    placed = codes("".join(words)) ^ (places.astype(numpy.uint64) << numpy.uint64(PLACE))
    none = numpy.zeros(1, numpy.uint64)
    return numpy.add.reduceat(mixed(mixed(none, placed), none), starts)


def windows(pieces: NDArray[numpy.uint64], sizes: NDArray[numpy.int64], width: int) -> Shingles:
    """Every ``width`` pieces in a row that do not reach from one text into the next; shape of ``sizes``: (texts,)."""
    import numpy

    counts = numpy.maximum(sizes - width + 1, 0)
    starts = numpy.concatenate([numpy.zeros(1, numpy.int64), numpy.cumsum(counts)])
    if not starts[-1]:
        return Shingles(numpy.zeros(0, numpy.uint64), starts)
    count = len(pieces) - width + 1
    numbers = numpy.zeros(count, numpy.uint64)
    for place in range(width):
        numbers = mixed(numbers, pieces[place : place + count])
    inside = numpy.ones(len(pieces), dtype=bool)
    ends = numpy.cumsum(sizes)[sizes > 0]
    inside[(ends[:, None] - numpy.arange(1, width)).reshape(-1)] = False
    return Shingles(numbers[inside[:count]], starts)


class Text:
    """A text that is compared with several others: its sets are made once.

    Args:
        words: Its words.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.words = words

    @cached_property
    def by_words(self) -> frozenset[int]:
        """Its shingles of words."""
        return word_shingles([self.words]).sets()[0]

    @cached_property
    def by_characters(self) -> frozenset[int]:
        """Its shingles of characters."""
        return character_shingles([self.words]).sets()[0]


def texts_of(said: Sequence[Sequence[str]]) -> list[Text]:
    """Several texts, each with the set that it is compared by with others of its length; all sets at once."""
    found = list(map(Text, said))
    long, short = ([text for text in found if (len(text.words) >= LONG) is wanted] for wanted in (True, False))
    for text, shingles in zip(long, word_shingles([text.words for text in long]).sets(), strict=True):
        text.by_words = shingles
    for text, shingles in zip(short, character_shingles([text.words for text in short]).sets(), strict=True):
        text.by_characters = shingles
    return found


def alike(first: Text, second: Text) -> float:
    """Jaccard similarity of two texts: shingles in both over shingles in either, 0 to 1.

    Two texts are compared by words if one of them is long, else by characters. Two empty texts are the same.
    """
    by_words = max(len(first.words), len(second.words)) >= LONG
    one, other = (text.by_words if by_words else text.by_characters for text in (first, second))
    both = len(one & other)
    return both / (len(one) + len(other) - both) if one or other else 1.0


def similarity(first: Sequence[str], second: Sequence[str]) -> float:
    """The same of two lists of words."""
    return alike(Text(first), Text(second))


def signed(texts: Sequence[Sequence[str]], threshold: float) -> tuple[list[int], Shingles]:
    """The shingles by which texts are looked for: once for each, or twice when its partner may be beyond ``LONG``.

    Args:
        texts: The words of each.
        threshold: From which similarity texts are alike.

    Returns:
        The number of the text that each has its shingles from, and these; an empty text has none.
    """
    import numpy

    short = [number for number, words in enumerate(texts) if 0 < len(words) < LONG]
    long = [number for number, words in enumerate(texts) if words and len(words) >= threshold * LONG]
    one, other = character_shingles([texts[number] for number in short]), word_shingles([texts[n] for n in long])
    numbers = numpy.concatenate([one.numbers, other.numbers])
    return short + long, Shingles(numbers, numpy.concatenate([one.starts, other.starts[1:] + one.starts[-1]]))
