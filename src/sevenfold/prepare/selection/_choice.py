"""Rows by their scores: as many of each group as it should keep, from all heights of the score."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray


def quotas(sizes: dict[str, int], share: float) -> dict[str, int]:
    """How many rows each group keeps: its share by largest remainders, and none is left with nothing."""
    wanted = max(1, round(share * sum(sizes.values())))
    found = {group: max(1, int(share * size)) for group, size in sizes.items()}
    by_rest = sorted(sizes, key=lambda group: (found[group] - share * sizes[group], group))
    for group in by_rest[: max(0, wanted - sum(found.values()))]:
        found[group] += 1
    return found


def chosen(scores: NDArray[numpy.float64], count: int, strata: int, seed: int) -> NDArray[numpy.int64]:
    """The places of ``count`` rows.

    The range of the scores is cut into equal strata; from the least filled to the fullest, each gives the same share of
    what is still to be taken, or all it has, as in DEFT's selection.

    Args:
        scores: Of the group's rows.
        count: Rows to take.
        strata: Equal parts of the range of scores; 1 takes the highest.
        seed: Of what is drawn within a stratum.
    """
    import numpy

    if strata == 1:
        return numpy.argsort(-scores, kind="stable")[:count]
    edges = numpy.linspace(scores.min(), scores.max(), strata + 1)[1:-1]
    cells = numpy.digitize(scores, edges)
    parts = sorted((numpy.flatnonzero(cells == cell).tolist() for cell in set(cells.tolist())), key=len)
    draw = Random(seed)
    taken: list[int] = []
    for number, part in enumerate(parts):
        take = min(len(part), -(-(count - len(taken)) // (len(parts) - number)))
        taken += draw.sample(part, take)
    return numpy.array(sorted(taken), dtype=numpy.int64)
