"""Buckets: texts that share a band. Of those that meet nobody, nothing is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

MOST = 64
"""Texts that a bucket remembers; one that comes later is compared with these only, so that work stays linear."""


class Buckets:
    """Who meets whom, filled one text at a time.

    Args:
        keys: The bands of each text, shape (texts, bands); written over, since both at once would not fit.
    """

    def __init__(self, keys: NDArray[numpy.uint64]) -> None:
        import numpy

        self.places = keys.view(numpy.int64)
        sizes = []
        known = 0
        for band in range(keys.shape[1]):
            _, inverse, counts = numpy.unique(keys[:, band], return_inverse=True, return_counts=True)
            shared = counts > 1
            names = numpy.where(shared, known + numpy.cumsum(shared) - 1, -1)
            self.places[:, band] = names[inverse]
            sizes.append(numpy.minimum(counts[shared], MOST))
            known += int(shared.sum())
        self.room = numpy.concatenate(sizes) if sizes else numpy.zeros(0, dtype=numpy.int64)
        self.starts = numpy.cumsum(self.room) - self.room
        self.filled = numpy.zeros(known, dtype=numpy.int64)
        self.slots = numpy.zeros(int(self.room.sum()), dtype=numpy.int64)
        self.overflowed = 0
        """How often a text found a bucket full and could not be remembered in it."""

    def meeting(self) -> NDArray[numpy.bool_]:
        """Which texts share a band with another."""
        import numpy

        return numpy.asarray((self.places >= 0).any(axis=1))

    def mates(self, text: int) -> list[int]:
        """The texts added so far that share a band with this one."""
        found: set[int] = set()
        for bucket in self.mine(text):
            start = self.starts[bucket]
            found.update(self.slots[start : start + self.filled[bucket]].tolist())
        return sorted(found)

    def add(self, text: int) -> None:
        """Remember a text in its buckets."""
        for bucket in self.mine(text):
            if self.filled[bucket] == self.room[bucket]:
                self.overflowed += 1
                continue
            self.slots[self.starts[bucket] + self.filled[bucket]] = text
            self.filled[bucket] += 1

    def mine(self, text: int) -> list[int]:
        """The buckets of a text that others are in too."""
        row = self.places[text]
        found: list[int] = row[row >= 0].tolist()
        return found
