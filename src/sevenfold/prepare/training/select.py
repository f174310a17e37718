"""Selection: the training rows that are worth most, the others are left out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Sequence
from random import Random
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from sevenfold.prepare.findings import Chart, Findings, Table
from sevenfold.prepare.selection import SCORERS, Scorer
from sevenfold.prepare.selection.deft import Deft
from sevenfold.prepare.training import Change
from sevenfold.prepare.training._groups import value_of
from sevenfold.prepare.vectors import VECTORS, Vectors
from sevenfold.prepare.vectors.e5 import E5
from sevenfold.schema import Chosen

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    from sevenfold.prepare.dataset import Row
    from sevenfold.prepare.shelf import Shelf
    from sevenfold.prepare.work import Work

    Scores = NDArray[numpy.float64]

SHOWN = 10
"""Rows at either end of the scores that the report shows."""
TEXT = 160
"""Characters of a row there."""


class Select(Change):
    """A share of the training rows is kept, those with the best scores; the others go as `not_selected`.

    Scores come from a linear surrogate over vectors, not from the model that will be trained: they cost seconds in the
    place of hours, and know only what the vectors know. Vectors of all rows are in memory, with e5 about 6 kB a row.
    """

    by: Annotated[Scorer, Chosen(SCORERS)] = Field(default_factory=Deft, description="How rows are scored.")
    share: float = Field(0.5, gt=0, lt=1, description="The share of the rows that is kept.")
    label: str | None = Field(
        None,
        description="The column of the label, or reply: the surrogate predicts it, and each label keeps its share; not "
        "given: the surrogate predicts the reply's vector.",
    )
    vectors: Annotated[Vectors, Chosen(VECTORS)] = Field(default_factory=E5, description="How texts become points.")

    def rows(self, shelf: Shelf, work: Work) -> Generator[Row, None, Findings]:
        """The rows that are kept, in their order."""
        from sevenfold.prepare.selection._surrogate import examples_of

        labels = [value_of(row, self.label) for row in shelf] if self.label else []
        prompts = ["\n".join(one.content for one in row.conversation.prompt()) for row in shelf]
        replies = [] if labels else [row.conversation.reference() for row in shelf]
        with work.console.task(f"{work.name} (rows)", len(shelf)) as task:
            examples = examples_of(self.vectors, prompts, replies, labels)
            scores = self.by.scores(examples, work.random("scores"))
            task.advance(len(shelf))
        kept = self.chosen(scores, labels, work.random("strata"))
        for number, row in enumerate(shelf):
            if number in kept:
                yield row
            else:
                work.drop(row, "not_selected")
        return self.findings(shelf, scores, kept, labels)

    def chosen(self, scores: Scores, labels: Sequence[str], dice: Random) -> set[int]:
        """The numbers of the rows that are kept; of each label its share."""
        groups: defaultdict[str, list[int]] = defaultdict(list)
        for row in range(len(scores)):
            groups[labels[row] if labels else ""].append(row)
        found: set[int] = set()
        for _, group in sorted(groups.items()):
            found |= evenly(group, scores, max(1, round(self.share * len(group))), self.by.strata, dice)
        return found

    def findings(self, shelf: Shelf, scores: Scores, kept: set[int], labels: Sequence[str]) -> Findings:
        """What was kept, how scores lie, and the rows at their two ends."""
        import numpy

        name = SCORERS.name_of(self.by)
        order = numpy.argsort(-scores, kind="stable").tolist()
        counts, edges = numpy.histogram(scores, bins=30)
        lines = [
            (
                round(float(scores[row]), 4),
                "kept" if row in kept else "left out",
                shelf.row(row).origin,
                text(shelf, row),
            )
            for row in (*order[:SHOWN], *order[-SHOWN:])
        ]
        return Findings(
            f"Selection by {name}",
            f"{len(kept):,} of {len(scores):,} training rows were kept, chosen by {name}.",
            {"kept": len(kept), "left_out": len(scores) - len(kept), "by": name},
            [Table("Rows with the highest and the lowest scores", ("score", "", "origin", "text"), lines)],
            [
                Chart(
                    "histogram",
                    f"score by {name}",
                    edges.tolist(),
                    counts.tolist(),
                    "Rows by their score; the more to the right, the more the surrogate gains from a row.",
                )
            ],
            ["Compare with a run on as many rows by chance (select: {by: random}) before you rely on the choice."],
        )


def text(shelf: Shelf, number: int) -> str:
    """The beginning of a row."""
    return " / ".join(one.content for one in shelf.row(number).conversation.messages)[:TEXT]


def evenly(rows: Sequence[int], scores: Scores, count: int, strata: int, dice: Random) -> set[int]:
    """Some rows, as many of each group of like scores as there are; what a small group lacks the others give.

    The groups are equal ranges of the scores (coverage-enhanced selection, Zheng et al. 2023, arXiv 2210.15809). Of one
    group alone the best are taken.
    """
    if strata == 1:
        return set(sorted(rows, key=lambda row: (-scores[row], row))[:count])
    low, high = min(scores[row] for row in rows), max(scores[row] for row in rows)
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for row in rows:
        groups[min(strata - 1, int((scores[row] - low) / ((high - low) or 1.0) * strata))].append(row)
    found: set[int] = set()
    waiting = sorted(groups.values(), key=len)
    for place, group in enumerate(waiting):
        wanted = -(-(count - len(found)) // (len(waiting) - place))
        found |= set(group if len(group) <= wanted else dice.sample(group, wanted))
    return set(sorted(found)[:count]) if len(found) > count else found
