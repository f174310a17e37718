"""Words in a row that a text is known by, and where each was seen."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

SHORTEST = 3
"""Words of the shortest text that counts as a whole; "yes" and "thank you" stand everywhere."""
SEEN = 1 << 64


def grams(words: list[str], size: int) -> list[str]:
    """Every ``size`` words in a row; of a shorter text the whole, if it is not of the shortest."""
    if SHORTEST <= len(words) < size:
        return [" ".join(words)]
    return [" ".join(words[start : start + size]) for start in range(len(words) - size + 1)]


def gram_key(gram: str) -> int:
    """64 bits of a gram, the same within one process."""
    return hash(gram) % SEEN


class Seen:
    """Grams and who has them: 12 bytes a gram."""

    def __init__(self) -> None:
        self.waiting, self.owners = array("Q"), array("I")

    def add(self, words: list[str], size: int, owner: int) -> None:
        """Take in the grams of a text."""
        for gram in grams(words, size):
            self.waiting.append(gram_key(gram))
            self.owners.append(owner)

    def settled(self) -> Table:
        """What was seen, ready to be asked."""
        return Table(self)


class Table:
    """Grams in order, each with the first that has it, and how many rows asked for it."""

    def __init__(self, seen: Seen) -> None:
        import numpy

        keys = numpy.frombuffer(seen.waiting, dtype=numpy.uint64) if seen.waiting else numpy.zeros(0, numpy.uint64)
        self.keys, first = numpy.unique(keys, return_index=True)
        self.owners: NDArray[numpy.uint32] = numpy.array(seen.owners, dtype=numpy.uint32)[first]
        self.asked = numpy.zeros(len(self.keys), dtype=numpy.uint32)

    def find(self, texts: list[str]) -> NDArray[numpy.int64]:
        """The place of each gram in the table, -1 where it is not there."""
        import numpy

        if not texts or not len(self.keys):
            return numpy.full(len(texts), -1, dtype=numpy.int64)
        keys = numpy.fromiter(map(gram_key, texts), dtype=numpy.uint64, count=len(texts))
        places = numpy.minimum(numpy.searchsorted(self.keys, keys), len(self.keys) - 1)
        return numpy.where(self.keys[places] == keys, places, -1)
