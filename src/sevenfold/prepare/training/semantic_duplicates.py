"""Semantic duplicates: training rows that say the same in other words, or in another language."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from sevenfold.findings import Findings, Table
from sevenfold.prepare.dataset import DESIRABLE, REJECTED, Row
from sevenfold.prepare.training import Change
from sevenfold.schema import Chosen
from sevenfold.vectors import VECTORS, Vectors

if TYPE_CHECKING:
    from sevenfold.prepare.shelf import Shelf
    from sevenfold.prepare.work import Work

BLOCK, PAIRS, EXAMPLES, SHOWN = 256, 20_000, 10, 120
SCRATCH = ".semantic-{}.f16"


class SemanticDuplicates(Change):
    """Drops training rows that ask and answer nearly what an earlier one does (SemDeDup, Abbas et al. 2023).

    Prompts and replies are compared each with their own kind, and both must be near, so that two answers to one
    question both stay. Cosines of unrelated texts are far from 0 in most models, so the border is a share of the way
    from the mean of random pairs to 1. Vectors lie on the disk in float16: with `e5` 1,536 bytes a row. Every row is
    compared with every other.
    """

    threshold: float = Field(
        0.6, gt=0, le=1, description="The share of the way from the mean cosine of random pairs to 1."
    )
    vectors: Annotated[Vectors, Chosen(VECTORS)] = Field(
        default_factory=lambda: VECTORS.find("e5")(), description="What turns texts into vectors."
    )

    def rows(self, shelf: Shelf, work: Work) -> Generator[Row, None, Findings]:
        """The rows that stay."""
        paths = [work.folder / SCRATCH.format(side) for side in ("prompt", "reply")]
        try:
            sides = [self.stored(shelf, path, side, work) for side, path in enumerate(paths)]
            borders = [border(side, self.threshold, work) for side in sides]
            twins = alike(shelf, sides, borders, work)
            sides.clear()
        finally:
            for path in paths:
                path.unlink(missing_ok=True)
        for number, row in enumerate(shelf):
            if number in twins:
                work.drop(row, "semantic_duplicate")
            else:
                yield row
        return Findings(
            "Semantic duplicates",
            f"{len(twins):,} of {len(shelf):,} training rows say the same as an earlier one and were dropped.",
            {"dropped": len(twins), "border_cosine_prompt": borders[0], "border_cosine_reply": borders[1]},
            [Table("Examples", ("dropped", "says", "like", "which says"), examples(shelf, twins))],
        )

    def stored(self, shelf: Shelf, path: Any, side: int, work: Work) -> Any:
        """The vectors of prompts or replies, in a file."""
        import numpy

        kept: Any = None
        with work.console.task("vectors (rows)", len(shelf)) as task:
            for start in range(0, len(shelf), BLOCK):
                numbers = range(start, min(start + BLOCK, len(shelf)))
                vectors = self.vectors.of([texts(shelf.row(number))[side] for number in numbers])
                if kept is None:
                    kept = numpy.memmap(path, dtype=numpy.float16, mode="w+", shape=(len(shelf), vectors.shape[1]))
                kept[start : start + len(vectors)] = vectors
                task.advance(len(vectors))
        return kept


def texts(row: Row) -> tuple[str, str]:
    """What a row asks, and what it answers; a rejected answer counts with it."""
    asked = "\n".join(message.content for message in row.conversation.prompt())
    return asked, "\n".join(filter(None, (row.conversation.reference(), row.fields.get(REJECTED, ""))))


def border(side: Any, threshold: float, work: Work) -> float:
    """The cosine from which two rows are alike."""
    import numpy

    draw = work.random("pairs")
    one, other = ([draw.randrange(len(side)) for _ in range(min(PAIRS, 50 * len(side)))] for _ in range(2))
    total, count = 0.0, 0
    for start in range(0, len(one), BLOCK):
        left, right = numpy.array(one[start : start + BLOCK]), numpy.array(other[start : start + BLOCK])
        apart = left != right
        products = (side[left].astype(numpy.float32) * side[right].astype(numpy.float32)).sum(axis=1)
        total, count = total + float(products[apart].sum()), count + int(apart.sum())
    mean = total / max(1, count)
    return mean + threshold * (1 - mean)


def alike(shelf: Shelf, sides: list[Any], borders: list[float], work: Work) -> dict[int, int]:
    """The rows that go, each with an earlier one that stays."""
    import numpy

    twins: dict[int, int] = {}
    # float16 moves a cosine by up to a thousandth, so that equal texts would miss a border of 1.
    slack = [least - 1e-3 for least in borders]
    with work.console.task("semantic duplicates (rows)", len(shelf)) as task:
        for start in range(0, len(shelf), BLOCK):
            blocks = [side[start : start + BLOCK].astype(numpy.float32) for side in sides]
            pairs = []
            for first in range(0, start + 1, BLOCK):
                near = numpy.ones((len(blocks[0]), len(sides[0][first : first + BLOCK])), dtype=bool)
                for side, block, least in zip(sides, blocks, slack, strict=True):
                    near &= block @ side[first : first + BLOCK].astype(numpy.float32).T >= least
                pairs += [(start + int(row), first + int(mate)) for row, mate in zip(*numpy.nonzero(near), strict=True)]
            for row, mate in sorted(pairs):
                if mate < row and row not in twins and mate not in twins and same_judgement(shelf, row, mate):
                    twins[row] = mate
            task.advance(len(blocks[0]))
    return twins


def same_judgement(shelf: Shelf, row: int, mate: int) -> bool:
    """Whether the same is said of both rows' answers."""
    return shelf.row(row).fields.get(DESIRABLE) == shelf.row(mate).fields.get(DESIRABLE)


def examples(shelf: Shelf, twins: dict[int, int]) -> list[tuple[str, str, str, str]]:
    """The first dropped rows beside those that stay."""
    pairs = [(shelf.row(row), shelf.row(mate)) for row, mate in list(twins.items())[:EXAMPLES]]
    return [
        (row.origin, " | ".join(texts(row))[:SHOWN], mate.origin, " | ".join(texts(mate))[:SHOWN])
        for row, mate in pairs
    ]
