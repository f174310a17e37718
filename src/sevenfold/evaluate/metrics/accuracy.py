"""The share of rows whose label is right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from sevenfold.evaluate.metrics import AnswersMetric, Better
from sevenfold.evaluate.metrics._said import one_label, some_labels

if TYPE_CHECKING:
    from sevenfold.evaluate.metrics import Floats


class Accuracy(AnswersMetric):
    """Share of rows whose label, or whose labels, are right; 0 to 1, higher is better.

    The labels are those that the references have. An answer in sentences counts as the first label that it names as a
    whole word, so a model that writes is not failed for its manners.
    """

    better: ClassVar[Better] = "higher"
    unit: ClassVar[str] = "share of rows"
    high: ClassVar[float] = 1.0
    binary: ClassVar[bool] = True
    separator: str | None = Field(None, description="What stands between several labels; not given: a row has one.")
    none: str = Field("none", description="Several labels: the reply of a row that has none.")

    def table(self, answers: Sequence[str], references: Sequence[str]) -> Floats:
        """1 where it is right."""
        import numpy as np

        if self.separator is None:
            known = {reference.strip() for reference in references}
            right = [one_label(a, known) == r.strip() for a, r in zip(answers, references, strict=True)]
        else:
            true = [labels_of(reference, self.separator, self.none) for reference in references]
            every = frozenset().union(*true)
            right = [some_labels(a, every, self.separator) == r for a, r in zip(answers, true, strict=True)]
        return np.array(right, dtype=np.float64)[:, None]

    def finish(self, mean: Floats) -> Floats:
        """The mean."""
        return mean[..., 0]


def labels_of(reference: str, separator: str, none: str) -> frozenset[str]:
    """The labels of a reference that may have several."""
    if reference.strip() == none:
        return frozenset()
    return frozenset(part.strip() for part in reference.split(separator.strip()))
