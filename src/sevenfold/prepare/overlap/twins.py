"""Rows that are dropped, each with the one that stays: arrays, since they may be millions."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, MutableMapping
from typing import NamedTuple


class Twin(NamedTuple):
    """The row that stays in another's place."""

    row: int
    similarity: float


class Twins(MutableMapping[int, Twin]):
    """Row to the one that stays: 12 bytes a row, whether it has one or not; a dictionary has 250 for each that has.

    Args:
        rows: How many there are.
    """

    def __init__(self, rows: int = 0) -> None:
        self.mates, self.similarities = array("i", [-1]) * rows, array("d", [0]) * rows
        self.count = 0

    def __contains__(self, row: object) -> bool:
        return isinstance(row, int) and 0 <= row < len(self.mates) and self.mates[row] >= 0

    def __getitem__(self, row: int) -> Twin:
        if row not in self:
            raise KeyError(row)
        return Twin(self.mates[row], self.similarities[row])

    def __setitem__(self, row: int, twin: Twin) -> None:
        self.count += row not in self
        self.mates[row], self.similarities[row] = twin

    def __delitem__(self, row: int) -> None:
        if row not in self:
            raise KeyError(row)
        self.mates[row], self.count = -1, self.count - 1

    def __iter__(self) -> Iterator[int]:
        return (row for row, mate in enumerate(self.mates) if mate >= 0)

    def __len__(self) -> int:
        return self.count
