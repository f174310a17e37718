"""Keys that were seen, in arrays: 21 to 43 bytes a key, a third more for the moment in which the table grows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

SMALLEST = 1 << 12
FULL = 0.75
"""The share of places from which the table doubles."""


class Known:
    """A set of 128-bit keys as a table with open addressing, asked and filled many keys at a time.

    A key is two numbers of 64 bits; the one that is (0, 0), which marks a free place, is held as (0, 1).
    """

    def __init__(self) -> None:
        import numpy

        self.table = numpy.zeros((SMALLEST, 2), dtype=numpy.uint64)
        self.count = 0

    def add(self, keys: NDArray[numpy.uint64]) -> NDArray[numpy.bool_]:
        """Which keys are new, in order: of equal keys among these the first; afterwards all are known.

        Args:
            keys: Shape (keys, 2).
        """
        import numpy

        keys = keys.copy()
        keys[(keys == 0).all(axis=1), 1] = 1
        while self.count + len(keys) > FULL * len(self.table):
            self.grow()
        new = self.place(keys)
        self.count += int(numpy.count_nonzero(new))
        return new

    def grow(self) -> None:
        """Twice as many places."""
        import numpy

        before = self.table[self.table.any(axis=1)]
        self.table = numpy.zeros((2 * len(self.table), 2), dtype=numpy.uint64)
        self.place(before)

    def place(self, keys: NDArray[numpy.uint64]) -> NDArray[numpy.bool_]:
        """Put keys to their places; which of them were not there."""
        import numpy

        new = numpy.zeros(len(keys), dtype=bool)
        waiting = numpy.arange(len(keys))
        last = numpy.uint64(len(self.table) - 1)
        places = keys[:, 0] & last
        while len(waiting):
            there = self.table[places]
            free = numpy.flatnonzero(~there.any(axis=1))
            # Of several that want one place the first has it; equal keys always want the same, so the first is new.
            taken, first = numpy.unique(places[free], return_index=True)
            mine = free[first]
            self.table[taken] = keys[waiting[mine]]
            new[waiting[mine]] = True
            settled = (self.table[places] == keys[waiting]).all(axis=1)
            waiting, places = waiting[~settled], (places[~settled] + numpy.uint64(1)) & last
        return new
