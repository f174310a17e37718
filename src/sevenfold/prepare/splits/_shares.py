"""Shares of the rows: units that must not be parted are laid on a line by hash and taken from its two ends."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from sevenfold.prepare.keys import hashed

U = TypeVar("U", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Shares:
    """How much is held out.

    Args:
        validation: A fraction below 1, or a number of rows from 1.
        test: The same.
    """

    validation: float
    test: float

    def wanted(self) -> dict[str, float]:
        """The sides that are asked for."""
        return {side: share for side, share in (("test", self.test), ("validation", self.validation)) if share > 0}


def position(seed: int, unit: Hashable) -> float:
    """The unit's place on the line, evenly spread from 0 up to 1; a function of nothing but its key and the seed."""
    return hashed((str(seed), str(unit)), size=6) / 2**48


def by_threshold(sizes: Mapping[U, int], shares: Shares, seed: int) -> dict[U, str]:
    """The side of each unit, such that no unit moves when others come or go.

    A fraction takes the units whose place is below it (test) or above one minus it (validation), so the numbers of
    rows are near the fractions, not exact. Two cases cannot be that stable: a number of rows takes the nearest units
    until there are enough, and a side that would stay empty takes the nearest unit.

    Args:
        sizes: Rows in each unit.
        shares: What is held out.
        seed: Another seed, another split.
    """
    places = {unit: position(seed, unit) for unit in sizes}
    line = sorted(sizes, key=lambda unit: (places[unit], str(unit)))
    sides: dict[U, str] = {}
    for side, share in shares.wanted().items():
        ends = line if side == "test" else reversed(line)
        free = [unit for unit in ends if unit not in sides]
        if share >= 1:
            taken = until(free, sizes, int(share))
        else:
            taken = [unit for unit in free if from_end(side, places[unit]) < share] or free[:1]
        sides.update(dict.fromkeys(taken, side))
    return {unit: sides.get(unit, "train") for unit in sizes}


def from_end(side: str, place: float) -> float:
    """The distance of a place from the end of the line that a side takes from."""
    return place if side == "test" else 1 - place


def by_rank(sizes: Mapping[U, int], shares: Shares, total: int, seed: int) -> dict[U, str]:
    """The side of each unit, with the numbers of rows as near to the shares as whole units allow.

    Args:
        sizes: Rows in each unit.
        shares: What is held out; a number of rows is that of all rows, of which this part gives its share.
        total: All rows, of which ``sizes`` may hold a part.
        seed: Another seed, another split.
    """
    line = sorted(sizes, key=lambda unit: (position(seed, unit), str(unit)))
    rows = sum(sizes.values())
    sides: dict[U, str] = {}
    for side, share in shares.wanted().items():
        ends = line if side == "test" else reversed(line)
        fraction = share / total if share >= 1 else share
        taken = until([unit for unit in ends if unit not in sides], sizes, round(fraction * rows))
        sides.update(dict.fromkeys(taken, side))
    return {unit: sides.get(unit, "train") for unit in sizes}


def until(units: Iterable[U], sizes: Mapping[U, int], rows: int) -> list[U]:
    """The first units that together have at least ``rows`` rows."""
    taken: list[U] = []
    for unit in units:
        if rows <= 0:
            break
        taken.append(unit)
        rows -= sizes[unit]
    return taken
