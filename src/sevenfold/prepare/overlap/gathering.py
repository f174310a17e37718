"""Rows that may be alike, gathered: those that share a band, directly or through others, can be compared apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sevenfold.prepare.overlap.bands import Signatures

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

MANY = 2000
"""Signatures from which a gathering is full."""
FEW = 64
"""Signatures with the same key that are looked at pair by pair."""
AT_ONCE = 100_000
"""Pairs whose sketches are in memory at a time."""


@dataclass(frozen=True)
class Gathering:
    """Some rows, whole circles of those that share bands, in the order in which they are compared.

    Args:
        rows: The row of each signature.
        signatures: By which they find each other.
        least: How many bytes the sketches of two must share that may be alike.
    """

    rows: NDArray[numpy.int64]
    signatures: Signatures
    least: int


def gathered(
    signatures: Signatures, rows: NDArray[numpy.int64], order: NDArray[numpy.int64], count: int, least: int
) -> Iterator[Gathering]:
    """All rows that share a band with another, a few thousand at a time.

    Args:
        signatures: Those of all rows.
        rows: The row of each signature.
        order: The signatures in the order in which they are compared.
        count: How many rows there are.
        least: How many bytes the sketches of two must share that may be alike.
    """
    import numpy

    circles = circles_of(signatures, rows, count, least)
    order = order[(numpy.bincount(circles, minlength=count) > 1)[circles[rows[order]]]]
    order = order[numpy.argsort(circles[rows[order]], kind="stable")]
    # A gathering ends where a circle does.
    ends = numpy.flatnonzero(numpy.diff(circles[rows[order]], append=-1)) + 1
    start = 0
    while start < len(order):
        end = int(ends[min(int(numpy.searchsorted(ends, start + MANY)), len(ends) - 1)])
        chosen = order[start:end]
        yield Gathering(rows[chosen], signatures.of(chosen), least)
        start = end


def circles_of(signatures: Signatures, rows: NDArray[numpy.int64], count: int, least: int) -> NDArray[numpy.int64]:
    """For each row the number of its circle; band by band, since the pairs of all at once would not fit."""
    import numpy
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    circles = numpy.arange(count)
    for band in range(signatures.keys.shape[1]):
        column = numpy.ascontiguousarray(signatures.keys[:, band])
        found = [circles[rows[texts]] for texts in pairs(column, signatures.sketches, least)]
        if len(found[0]):
            graph = coo_array((numpy.ones(len(found[0]), dtype=bool), tuple(found)), shape=(count, count))
            circles = connected_components(graph, directed=False)[1].astype(numpy.int64)[circles]
    return circles


def pairs(
    column: NDArray[numpy.uint64], sketches: NDArray[numpy.uint8], least: int
) -> tuple[NDArray[numpy.int64], NDArray[numpy.int64]]:
    """Pairs that hold together those with one key in a band who may be alike.

    Of a few with the same key these are the pairs whose sketches agree. Many are taken to hang together.
    """
    import numpy

    order = numpy.argsort(column)
    keys, ones, others = column[order], [], []
    place = numpy.arange(len(order))
    for distance in range(1, FEW):
        place = again(keys, place, distance)
        one, other = order[place], order[place + distance]
        alike = equal(sketches, one, other) >= least
        ones.append(one[alike])
        others.append(other[alike])
    # Behind each of those that are left are so many that their pairs are not looked at: they make a chain.
    place = numpy.unique(again(keys, place, FEW)[:, None] + numpy.arange(FEW))
    return numpy.concatenate([*ones, order[place]]), numpy.concatenate([*others, order[place + 1]])


def again(keys: NDArray[numpy.uint64], place: NDArray[numpy.int64], distance: int) -> NDArray[numpy.int64]:
    """Those of some places whose key stands again so many places behind."""
    place = place[place < len(keys) - distance]
    return place[keys[place + distance] == keys[place]]


def equal(
    sketches: NDArray[numpy.uint8], ones: NDArray[numpy.int64], others: NDArray[numpy.int64]
) -> NDArray[numpy.int64]:
    """How many bytes the sketches of each pair have in common."""
    import numpy

    found = numpy.zeros(len(ones), numpy.int64)
    for start in range(0, len(ones), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        found[part] = (sketches[ones[part]] == sketches[others[part]]).sum(axis=1)
    return found
