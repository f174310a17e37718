"""Shares of the rows: units that must not be parted are laid on a line by hash and taken from its two ends."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from sevenfold.prepare.codes import Coded
from sevenfold.prepare.keys import hashed

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

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


def of_openings(openings: Sequence[int], shares: Shares, seed: int) -> Coded:
    """The side of each row by :func:`by_threshold` of what it asks, in arrays: 60 bytes a row while it works."""
    import numpy

    units, row_units, sizes = numpy.unique(
        numpy.array(openings, dtype=numpy.uint64), return_inverse=True, return_counts=True
    )
    places = numpy.fromiter((position(seed, unit) for unit in units.tolist()), numpy.float64, count=len(units))
    line = in_line(units, places)
    sides = Coded(["train", *shares.wanted()])
    codes = numpy.zeros(len(units), dtype=numpy.uint32)
    for side, share in shares.wanted().items():
        ends = line if side == "test" else line[::-1]
        free = ends[codes[ends] == 0]
        if share >= 1:
            before = numpy.cumsum(sizes[free]) - sizes[free]
            taken = free[before < int(share)]
        else:
            distances = places[free] if side == "test" else 1 - places[free]
            near = free[distances < share]
            taken = near if len(near) else free[:1]
        codes[taken] = sides.code(side)
    return sides.recoded(codes[row_units])


def in_line(units: NDArray[numpy.uint64], places: NDArray[numpy.float64]) -> NDArray[numpy.int64]:
    """The units by their places; those at one place, which are hardly ever two, by their text."""
    import numpy

    line = numpy.argsort(places, kind="stable")
    same = numpy.flatnonzero(places[line[1:]] == places[line[:-1]])
    for place in numpy.unique(places[line[same]]).tolist():
        start, end = numpy.searchsorted(places[line], [place, numpy.nextafter(place, 2)])
        line[start:end] = sorted(line[start:end].tolist(), key=lambda unit: str(int(units[unit])))
    return line


def from_end(side: str, place: float) -> float:
    """The distance of a place from the end of the line that a side takes from."""
    return place if side == "test" else 1 - place


def quotas(rows: Sequence[int], share: float) -> list[int]:
    """How many rows a side takes of each of some parts, which have so many rows.

    A number of rows is met exactly: who has the largest remainder gives one more (Hamilton's method). A fraction is of
    each part by itself.
    """
    if share < 1:
        return [round(share * own) for own in rows]
    exact = [share * own / sum(rows) for own in rows]
    found = list(map(int, exact))
    largest = sorted(range(len(rows)), key=lambda part: found[part] - exact[part])
    for part in largest[: int(share) - sum(found)]:
        found[part] += 1
    return found


def by_rank(sizes: Mapping[U, int], wanted: Mapping[str, int], seed: int) -> dict[U, str]:
    """The side of each unit, with the numbers of rows as near to what is wanted as whole units allow.

    Args:
        sizes: Rows in each unit.
        wanted: Rows of each side that is held out.
        seed: Another seed, another split.
    """
    line = sorted(sizes, key=lambda unit: (position(seed, unit), str(unit)))
    sides: dict[U, str] = {}
    for side, rows in wanted.items():
        ends = line if side == "test" else reversed(line)
        taken = until([unit for unit in ends if unit not in sides], sizes, rows)
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
