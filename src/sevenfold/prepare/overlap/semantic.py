"""Semantic duplicates: rows that say the same in other words, or in another language (SemDeDup, Abbas et al. 2023).

Prompts and replies are compared each with their own kind, and both must be near, so that two answers to one question
both stay. Cosines of unrelated texts are far from 0 in most models, so the border is a share of the way from the mean
of random pairs to 1. Vectors lie on the disk in float16. Every row is compared with every other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from sevenfold.prepare.dataset import DESIRABLE, REJECTED, Row
from sevenfold.prepare.keys import hashed
from sevenfold.prepare.overlap.alike import Alike
from sevenfold.prepare.overlap.settings import SemanticDuplicates
from sevenfold.prepare.overlap.twins import Twin, Twins
from sevenfold.prepare.shelf import Shelf

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    from sevenfold.console import Console

BLOCK, PAIRS = 256, 20_000
SCRATCH = ".semantic-{}.f16"
SLACK = 1e-3
"""What float16 moves a cosine by, so that equal texts do not miss a border of 1."""


@dataclass
class Semantic(Alike):
    """Rows that mean the same.

    Args:
        borders: The cosines of prompts and of replies from which two rows are alike.
    """

    borders: tuple[float, float] = (1.0, 1.0)


def find_semantic(
    path: Path,
    settings: SemanticDuplicates,
    ranks: Sequence[int],
    gone: Twins | None,
    console: Console,
) -> Semantic:
    """The semantic duplicates of a file of rows.

    Args:
        path: The staged rows; the vectors lie beside it meanwhile.
        settings: How near, by which vectors, and whether all but one are dropped.
        ranks: For each row a number from its content, which decides between rows of equal length.
        gone: Rows that are dropped already; they are not looked at.
        console: Where progress goes.

    Returns:
        Clusters and dropped rows. The longest stays, so that the order of rows does not matter.
    """
    shelf = Shelf(path)
    rows = [row for row in range(len(shelf)) if not gone or row not in gone]
    lengths = {row: sum(map(len, shelf.said(row)[0])) for row in rows}
    rows.sort(key=lambda row: (-lengths[row], ranks[row]))
    paths = [path.parent / SCRATCH.format(side) for side in ("prompt", "reply")]
    try:
        sides = [stored(shelf, rows, file, side, settings, console) for side, file in enumerate(paths)]
        borders = (border(sides[0], settings.threshold), border(sides[1], settings.threshold))
        found = Semantic(twins=Twins(len(shelf)), borders=borders)
        compare(shelf, rows, sides, settings, found, console)
        sides.clear()
    finally:
        for file in paths:
            file.unlink(missing_ok=True)
    return found


def stored(
    shelf: Shelf, rows: Sequence[int], path: Path, side: int, settings: SemanticDuplicates, console: Console
) -> NDArray[numpy.float16]:
    """The vectors of some rows' prompts or replies, in a file; shape (rows, dimensions)."""
    import numpy

    kept: NDArray[numpy.float16] = numpy.zeros((0, 1), numpy.float16)
    with console.task(f"vectors of {('prompts', 'replies')[side]} (rows)", len(rows)) as task:
        for start in range(0, len(rows), BLOCK):
            vectors = settings.vectors.of([texts(shelf.row(row))[side] for row in rows[start : start + BLOCK]])
            if not len(kept):
                kept = numpy.memmap(path, dtype=numpy.float16, mode="w+", shape=(len(rows), vectors.shape[1]))
            kept[start : start + len(vectors)] = vectors
            task.advance(len(vectors))
    return kept


def texts(row: Row) -> tuple[str, str]:
    """What a row asks, and what it answers; a rejected answer counts with it."""
    asked = "\n".join(message.content for message in row.conversation.prompt())
    return asked, "\n".join(filter(None, (row.conversation.reference(), row.fields.get(REJECTED, ""))))


def border(side: NDArray[numpy.float16], threshold: float) -> float:
    """The cosine from which two texts are alike."""
    import numpy

    draw = Random(hashed(("semantic", str(len(side)))))
    one, other = ([draw.randrange(len(side)) for _ in range(min(PAIRS, 50 * len(side)))] for _ in range(2))
    total, count = 0.0, 0
    for start in range(0, len(one), BLOCK):
        left, right = numpy.array(one[start : start + BLOCK]), numpy.array(other[start : start + BLOCK])
        apart = left != right
        products = (side[left].astype(numpy.float32) * side[right].astype(numpy.float32)).sum(axis=1)
        total, count = total + float(products[apart].sum()), count + int(apart.sum())
    mean = total / max(1, count)
    return mean + threshold * (1 - mean)


def compare(
    shelf: Shelf,
    rows: Sequence[int],
    sides: Sequence[NDArray[numpy.float16]],
    settings: SemanticDuplicates,
    found: Semantic,
    console: Console,
) -> None:
    """Every row beside all before it; it is dropped for the first of those that stay."""
    with console.task("semantic duplicates (rows)", len(rows)) as task:
        for start in range(0, len(rows), BLOCK):
            for place, mate, cosine in sorted(near_pairs(sides, found.borders, start)):
                row, other = rows[place], rows[mate]
                if mate >= place or row in found.twins or other in found.twins or not same_judgement(shelf, row, other):
                    continue
                found.clusters.join(row, other)
                if settings.drop:
                    found.twins[row] = Twin(other, cosine)
            task.advance(min(BLOCK, len(rows) - start))


def near_pairs(
    sides: Sequence[NDArray[numpy.float16]], borders: Sequence[float], start: int
) -> list[tuple[int, int, float]]:
    """Places of a block and of all before it whose prompts and replies are both near, with the lower cosine."""
    import numpy

    blocks = [side[start : start + BLOCK].astype(numpy.float32) for side in sides]
    found: list[tuple[int, int, float]] = []
    for first in range(0, start + 1, BLOCK):
        cosines = [
            block @ side[first : first + BLOCK].astype(numpy.float32).T
            for side, block in zip(sides, blocks, strict=True)
        ]
        near = numpy.logical_and.reduce([one >= least - SLACK for one, least in zip(cosines, borders, strict=True)])
        lowest = numpy.minimum.reduce(cosines)
        found += [(start + int(p), first + int(m), float(lowest[p, m])) for p, m in zip(*near.nonzero(), strict=True)]
    return found


def same_judgement(shelf: Shelf, row: int, mate: int) -> bool:
    """Whether the same is said of both rows' answers."""
    return shelf.row(row).fields.get(DESIRABLE) == shelf.row(mate).fields.get(DESIRABLE)
