"""The mean over labels of the share of their rows that is right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from sevenfold.evaluate.metrics import AnswersMetric, Better
from sevenfold.evaluate.metrics._labels import counted, ratio, table_of_labels

if TYPE_CHECKING:
    from sevenfold.evaluate.metrics import Floats


class BalancedAccuracy(AnswersMetric):
    """The mean over labels of ``right / true``, each label's recall; 0 to 1, higher is better.

    Who always says the commonest of K labels has 1 / K, however common it is (Brodersen et al. 2010, "The balanced
    accuracy and its posterior distribution"). Answers are read as by ``accuracy``.
    """

    better: ClassVar[Better] = "higher"
    unit: ClassVar[str] = "share"
    high: ClassVar[float] = 1.0

    def table(self, answers: Sequence[str], references: Sequence[str]) -> Floats:
        """Whether the row is right, then its labels."""
        return table_of_labels(answers, references)

    def finish(self, mean: Floats) -> Floats:
        """The mean recall of the labels that there are."""
        import numpy as np

        _, _, true, both = counted(mean)
        return ratio(both, true).sum(-1) / np.maximum((true > 0).sum(-1), 1)
