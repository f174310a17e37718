"""The mean over labels of each label's F1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from sevenfold.evaluate.metrics import AnswersMetric, Better
from sevenfold.evaluate.metrics._said import one_label, some_labels
from sevenfold.evaluate.metrics.accuracy import labels_of

if TYPE_CHECKING:
    from sevenfold.evaluate.metrics import Floats


class MacroF1(AnswersMetric):
    """The mean over labels of ``2 right / (said + true)``; 0 to 1, higher is better.

    Rare labels count as much as common ones, so it shows what accuracy hides: a model that says the commonest label
    alone. The labels are those that the references have; answers are read as by ``accuracy``.
    """

    better: ClassVar[Better] = "higher"
    unit: ClassVar[str] = "F1"
    high: ClassVar[float] = 1.0
    separator: str | None = Field(None, description="What stands between several labels; not given: a row has one.")
    none: str = Field("none", description="Several labels: the reply of a row that has none.")

    def table(self, answers: Sequence[str], references: Sequence[str]) -> Floats:
        """Whether the row is right, then for each label: right, said, true."""
        import numpy as np

        said, true = self.sets(answers, references)
        labels = sorted(frozenset().union(*true))
        rows = [
            [float(a == r), *(x for label in labels for x in (label in a and label in r, label in a, label in r))]
            for a, r in zip(said, true, strict=True)
        ]
        return np.array(rows, dtype=np.float64)

    def sets(
        self, answers: Sequence[str], references: Sequence[str]
    ) -> tuple[list[frozenset[str]], list[frozenset[str]]]:
        """The labels of each answer and of each reference."""
        if self.separator is None:
            known = {reference.strip() for reference in references}
            found = (one_label(answer, known) for answer in answers)
            said = [frozenset() if label is None else frozenset({label}) for label in found]
            return said, [frozenset({reference.strip()}) for reference in references]
        true = [labels_of(reference, self.separator, self.none) for reference in references]
        every = frozenset().union(*true)
        return [some_labels(answer, every, self.separator) for answer in answers], true

    def finish(self, mean: Floats) -> Floats:
        """The mean F1 of the labels that were said or true."""
        import numpy as np

        right, said, true = np.moveaxis(mean[..., 1:].reshape(*mean.shape[:-1], -1, 3), -1, 0)
        there = said + true
        scores = np.divide(2 * right, there, out=np.zeros_like(there), where=there > 0)
        return scores.sum(-1) / np.maximum((there > 0).sum(-1), 1)
