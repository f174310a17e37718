"""Buckets: texts that share a band, and whose sketches do not say that they have nothing else in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sevenfold.prepare.overlap.bands import Signatures

if TYPE_CHECKING:
    pass

MOST = 64
"""Texts that a bucket remembers; one that comes later is compared with these only, so that work stays linear."""


class Buckets:
    """Who meets whom, filled one text at a time.

    Args:
        signatures: Those of each text; their keys are written over, since both at once would not fit.
        least: How many bytes the sketches of two must share that may be alike.
    """

    def __init__(self, signatures: Signatures, least: int) -> None:
        import numpy

        keys, self.sketches = signatures
        self.least = least
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

    def mates(self, text: int) -> list[int]:
        """The texts added so far that share a band with this one and may be as alike as is asked."""
        found: set[int] = set()
        for bucket in self.mine(text):
            start = self.starts[bucket]
            found.update(self.slots[start : start + self.filled[bucket]].tolist())
        mates = sorted(found)
        equal = (self.sketches[mates] == self.sketches[text]).sum(axis=1) if mates else ()
        return [mate for mate, count in zip(mates, equal, strict=True) if count >= self.least]

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
