"""The correlation of said and true labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from sevenfold.evaluate.metrics import AnswersMetric, Better
from sevenfold.evaluate.metrics._labels import counted, ratio, table_of_labels

if TYPE_CHECKING:
    from sevenfold.evaluate.metrics import Floats


class Mcc(AnswersMetric):
    """Matthews' correlation coefficient of any number of labels; -1 to 1, higher is better, 0 is chance.

    ``(right - sum said x true) / sqrt((1 - sum said^2) (1 - sum true^2))`` with the shares of each label (Gorodkin
    2004, "Comparing two K-category assignments by a K-category correlation coefficient"). Who says one label has 0.
    Answers are read as by ``accuracy``; those that name no label are a label of their own.
    """

    better: ClassVar[Better] = "higher"
    unit: ClassVar[str] = "correlation"
    low: ClassVar[float] = -1.0
    high: ClassVar[float] = 1.0

    def table(self, answers: Sequence[str], references: Sequence[str]) -> Floats:
        """Whether the row is right, then its labels."""
        return table_of_labels(answers, references)

    def finish(self, mean: Floats) -> Floats:
        """The coefficient; 0 where one label alone was said or is true."""
        import numpy as np

        right, said, true, _ = counted(mean)
        nothing = np.maximum(1 - said.sum(-1), 0)
        spread = (1 - (said**2).sum(-1) - nothing**2) * (1 - (true**2).sum(-1))
        # What rounding leaves of nothing is nothing.
        spread = np.where(spread < 1e-12, 0.0, spread)
        return ratio(right - (said * true).sum(-1), np.sqrt(spread))
