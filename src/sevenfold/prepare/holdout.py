"""Which rows are kept and which are held out."""

from __future__ import annotations

from array import array
from collections import Counter
from typing import TYPE_CHECKING

from sevenfold.errors import DataError
from sevenfold.prepare.codes import Coded
from sevenfold.prepare.collect import Intake
from sevenfold.prepare.overlap.alike import Sought
from sevenfold.prepare.section import PrepareSection, Split
from sevenfold.prepare.splits import Index
from sevenfold.prepare.union import Union

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

OVER_LIMIT = "over_limit"
"""The place of rows above ``limit``: no split."""
NEAR, SEMANTIC = "near_duplicate", "semantic_duplicate"
"""The places of rows that say nearly the same, or mean the same, as one that stays."""


def choose_sides(section: PrepareSection, intake: Intake, sought: Sought) -> Coded:
    """For each staged row its split, or that it is over the limit or a duplicate.

    Rows that are alike, directly or through others, count as asking the same, so that no split parts them.

    Raises:
        DataError: A split that is asked for would stay empty.
    """
    import numpy

    ranks = numpy.array(intake.ranks, dtype=numpy.uint64)
    free = numpy.ones(len(ranks), dtype=bool)
    for alike in sought.values():
        free[list(alike.twins)] = False
    within = lowest(ranks, section.limit, numpy.flatnonzero(free))
    openings = array("Q")
    openings.frombytes(joined(intake.openings, sought)[within].tobytes())
    index = Index(openings, Coded(map(intake.labels.__getitem__, within.tolist())) if intake.labels else [])
    split = section.split
    intake.rounds = split.how.rounds(index)
    found = split.how.sides(index, split.shares, split.seed)
    chosen = found if isinstance(found, Coded) else Coded(found)
    check_enough(Counter(chosen), index, split)
    sides = Coded([OVER_LIMIT])
    codes = numpy.zeros(len(ranks), dtype=numpy.uint32)
    codes[within] = numpy.array([sides.code(name) for name in chosen.texts], dtype=numpy.uint32)[chosen.array()]
    for reason, alike in sought.items():
        codes[list(alike.twins)] = sides.code(reason)
    return sides.recoded(codes)


def joined(openings: array[int], sought: Sought) -> NDArray[numpy.uint64]:
    """What each row asks; rows of one cluster ask the same."""
    import numpy

    together = united(openings, sought)
    found = numpy.array(openings, dtype=numpy.uint64)
    if together.parent:
        # Only questions of clusters have another root than themselves.
        asked = numpy.array(sorted(together.parent), dtype=numpy.uint64)
        roots = numpy.array([together.root(int(key)) for key in asked.tolist()], dtype=numpy.uint64)
        places = numpy.minimum(numpy.searchsorted(asked, found), len(asked) - 1)
        found = numpy.where(asked[places] == found, roots[places], found)
    return found


def united(openings: array[int], sought: Sought) -> Union[int]:
    """The questions that rows of one cluster ask, as one."""
    together = Union[int]()
    for alike in sought.values():
        for members in alike.clusters.sets().values():
            for row in members[1:]:
                together.join(openings[members[0]], openings[row])
    return together


def lowest(ranks: NDArray[numpy.uint64], limit: int | None, rows: NDArray[numpy.int64]) -> NDArray[numpy.int64]:
    """Those of some rows with the lowest ranks, at most ``limit``, in order of position."""
    import numpy

    if limit is None or limit >= len(rows):
        return rows
    return numpy.sort(rows[numpy.argsort(ranks[rows], kind="stable")[:limit]])


def check_enough(counts: Counter[str], index: Index, split: Split) -> None:
    """Refuse splits with an empty side, or with fewer rows than were asked for.

    Raises:
        DataError: There are too few rows, or too few different questions or groups.
    """
    asked = {"train": 1.0, **split.wanted}
    short = [side for side, share in asked.items() if counts[side] < (share if share >= 1 else 1)]
    if not short:
        return
    rows, openings = len(index.openings), len(set(index.openings))
    column = split.how.column
    groups = f", {len(set(index.labels))} values of {column!r}" if column else ""
    raise DataError(
        f"too few rows for the splits: {short[0]} gets {counts[short[0]]} of {rows} rows "
        f"({openings} different questions{groups})",
        where="prepare.split",
        expected=", ".join(f"{side}: {share:g}" for side, share in split.wanted.items()),
        next_step="add rows, or ask for less: split: {validation: 0, test: 0} holds out none",
    )
