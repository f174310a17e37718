"""Select: train on a part of the rows, chosen by a score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from sevenfold.findings import Chart, Findings, Table
from sevenfold.prepare.selection import WAYS, Way
from sevenfold.prepare.selection._choice import chosen, quotas
from sevenfold.prepare.selection._material import Material
from sevenfold.prepare.training import Change
from sevenfold.schema import Chosen
from sevenfold.vectors import VECTORS, Vectors

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    from sevenfold.prepare.dataset import Row
    from sevenfold.prepare.shelf import Shelf
    from sevenfold.prepare.work import Work

NOT_SELECTED = "not_selected"
EXAMPLES, SHOWN, BARS = 10, 120, 20


class Select(Change):
    """Keeps a share of the training rows by a score; the others are dropped as `not_selected`.

    Rows are drawn from all heights of the score alike, the thinly filled first, so that neither the easy nor the
    extreme are lost (coverage-enhanced selection, Lin et al. 2024); `strata: 1` takes the highest.
    """

    by: Annotated[Way, Chosen(WAYS)] = Field(
        default_factory=lambda: WAYS.find("deft")(), description="How rows are scored."
    )
    share: float = Field(0.5, gt=0, le=1, description="The share of the rows that stays.")
    keep_labels: bool = Field(True, description="Whether each label keeps this share; only where replies are labels.")
    strata: int = Field(10, ge=1, description="Heights of the score that rows are drawn from; 1: the highest alone.")
    vectors: Annotated[Vectors, Chosen(VECTORS)] = Field(
        default_factory=lambda: VECTORS.find("e5")(), description="What turns texts into vectors, where a way needs it."
    )

    def rows(self, shelf: Shelf, work: Work) -> Generator[Row, None, Findings]:
        """The rows that are chosen, in their order."""
        with work.console.task("scores (rows)", len(shelf)) as task:
            material = self.material(shelf, work)
            scores = self.by.scores(material)
            task.advance(len(shelf))
        keep = self.kept(scores, material)
        for number, row in enumerate(shelf):
            if keep[number]:
                yield row
            else:
                work.drop(row, NOT_SELECTED)
        return self.findings(material, scores, keep)

    def material(self, shelf: Shelf, work: Work) -> Material:
        """The rows as they are scored."""
        prompts, replies, origins = [], [], []
        for row in shelf:
            prompts.append("\n".join(message.content for message in row.conversation.prompt()))
            replies.append(row.conversation.reference())
            origins.append(row.origin)
        return Material(prompts, replies, origins, self.vectors, work.seed)

    def kept(self, scores: NDArray[numpy.float64], material: Material) -> NDArray[numpy.bool_]:
        """Which rows stay."""
        import numpy

        groups = material.replies if self.keep_labels and material.labelled else [""] * len(material)
        members: dict[str, list[int]] = {}
        for number, group in enumerate(groups):
            members.setdefault(group, []).append(number)
        places = quotas({group: len(rows) for group, rows in members.items()}, self.share)
        keep = numpy.zeros(len(material), dtype=bool)
        for group, rows in members.items():
            strata = self.strata if self.by.spread else 1
            keep[numpy.array(rows)[chosen(scores[rows], places[group], strata, material.seed)]] = True
        return keep

    def findings(self, material: Material, scores: NDArray[numpy.float64], keep: NDArray[numpy.bool_]) -> Findings:
        """What was kept, with the scores."""
        way = WAYS.name_of(self.by)
        count = int(keep.sum())
        return Findings(
            f"Selected by {way}",
            f"{count:,} of {len(keep):,} training rows stay, chosen by {way}.",
            {
                "kept": count,
                "not_selected": len(keep) - count,
                "way": way,
                "learnt_by_surrogate": "labels" if material.labelled else "vectors of replies",
                "score_mean_kept": float(scores[keep].mean()),
                "score_mean_all": float(scores.mean()),
            },
            [
                examples("The highest scores", material, scores, scores.argsort()[::-1]),
                examples("The lowest scores", material, scores, scores.argsort()),
                *([by_label(material, keep)] if material.labelled else []),
            ],
            [histogram("score, all rows", scores, scores), histogram("score, rows that stay", scores[keep], scores)],
            ["Compare with the same training on all rows and on as many random ones before you trust the choice."],
        )


def examples(
    title: str, material: Material, scores: NDArray[numpy.float64], order: Sequence[int] | NDArray[Any]
) -> Table:
    """The first rows of an order."""
    lines = [
        (material.origins[n], float(f"{scores[n]:.4g}"), material.prompts[n][-SHOWN:], material.replies[n][:SHOWN])
        for n in list(order)[:EXAMPLES]
    ]
    return Table(title, ("row", "score", "prompt", "reply"), lines)


def by_label(material: Material, keep: NDArray[numpy.bool_]) -> Table:
    """Kept and dropped rows of each label."""
    total, kept = (
        Counter(material.replies),
        Counter(reply for reply, stays in zip(material.replies, keep, strict=True) if stays),
    )
    lines = [(label[:SHOWN], kept[label], total[label] - kept[label]) for label in sorted(total)]
    return Table("By label", ("label", "kept", "dropped"), lines)


def histogram(label: str, values: NDArray[numpy.float64], every: NDArray[numpy.float64]) -> Chart:
    """How often scores fall between the edges of all scores."""
    import numpy

    counts, edges = numpy.histogram(values, bins=BARS, range=(float(every.min()), float(every.max())))
    return Chart("histogram", label, edges.tolist(), counts.tolist(), "How many rows have which score.")
