"""How well a label's probability finds the label's rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from sevenfold.errors import DataError
from sevenfold.evaluate.metrics import Better, ProbabilitiesMetric
from sevenfold.evaluate.metrics._labels import ratio

if TYPE_CHECKING:
    from sevenfold.evaluate.metrics import Floats

MOST = 4000
"""Thresholds of all labels together: what a row's figures take is twice as many numbers."""
LEAST = 20
"""Thresholds of a label at least."""


class PrAuc(ProbabilitiesMetric):
    """Area under the curve of precision over recall, averaged over labels; 0 to 1, higher is better.

    Average precision, ``sum over thresholds of (recall_n - recall_(n-1)) precision_n``, where a row is said to have a
    label if its probability reaches the threshold (Davis and Goadrich 2006 on why this, and not ROC, tells apart where
    a label is rare). Chance gives the label's share of the rows. Every probability that occurs is a threshold; of more
    than 4,000 divided by the labels, equally spaced ranks are. Who says a label alone says it with probability 1.
    """

    better: ClassVar[Better] = "higher"
    unit: ClassVar[str] = "area"
    high: ClassVar[float] = 1.0
    labels: tuple[str, ...] = Field((), description="The labels, the rare ones for example; default: all.")

    def table(self, probs: Sequence[Mapping[str, float]], references: Sequence[str]) -> Floats:
        """What is said of the row's own label, the number of labels, and where each row stands.

        For each label and threshold: whether it is the highest that the row reaches, first of those with the label,
        then of those without.
        """
        import numpy as np

        true = np.array([reference.strip() for reference in references])
        labels = [label for label in sorted(set(true.tolist())) if not self.labels or label in self.labels]
        if not labels:
            raise DataError(
                f"no held-out row has one of the labels {', '.join(self.labels)}",
                alternatives=sorted(set(true.tolist())),
                next_step="name others in {pr_auc: {labels: [...]}}",
            )
        own = [row.get(label, 0.0) for row, label in zip(probs, true.tolist(), strict=True)]
        # The highest probability has the rank 0.
        scores = [-np.array([row.get(label, 0.0) for row in probs]) for label in labels]
        ranks = [np.unique(one, return_inverse=True)[1].reshape(-1) for one in scores]
        width = min(max(int(one.max()) + 1 for one in ranks), max(LEAST, MOST // len(labels)))
        found = np.zeros((len(true), 2 + 2 * width * len(labels)))
        found[:, 0], found[:, 1] = own, len(labels)
        for number, (label, rank) in enumerate(zip(labels, ranks, strict=True)):
            count = int(rank.max()) + 1
            place = rank * width // count if count > width else rank
            found[np.arange(len(true)), 2 + 2 * width * number + place + width * (true != label)] = 1
        return found

    def finish(self, mean: Floats) -> Floats:
        """The mean area of the labels that there are."""
        import numpy as np

        labels = round(float(mean[..., 1].flat[0]))
        hits, misses = np.moveaxis(mean[..., 2:].reshape(*mean.shape[:-1], labels, 2, -1), -2, 0)
        found = hits.cumsum(-1)
        precision = ratio(found, found + misses.cumsum(-1))
        there = found[..., -1]
        areas = ratio((hits * precision).sum(-1), there)
        return areas.sum(-1) / np.maximum((there > 0).sum(-1), 1)
