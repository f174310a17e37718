"""Of what has not a label, the share that was not said to have it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from sevenfold.evaluate.metrics import AnswersMetric, Better
from sevenfold.evaluate.metrics._labels import counted, ratio, table_of_some

if TYPE_CHECKING:
    from sevenfold.evaluate.metrics import Floats


class Specificity(AnswersMetric):
    """The mean over labels of ``neither said nor true / not true``; 0 to 1, higher is better.

    The recall of not having a label (Yerushalmy 1947, "Statistical problems in assessing methods of medical
    diagnosis"): one less the rate of false alarms. Name one label, the one that an alarm is for, where there are two:
    over many labels it is high for nearly any model. Answers are read as by ``accuracy``.
    """

    better: ClassVar[Better] = "higher"
    unit: ClassVar[str] = "share"
    high: ClassVar[float] = 1.0
    labels: tuple[str, ...] = Field(
        (), description="The labels; the one that is looked for, for example. Default: all."
    )

    def table(self, answers: Sequence[str], references: Sequence[str]) -> Floats:
        """Whether the row is right, then its labels."""
        return table_of_some(answers, references, self.labels)

    def finish(self, mean: Floats) -> Floats:
        """The mean of the labels that some row has not."""
        import numpy as np

        _, said, true, both = counted(mean)
        without = np.where(true < 1 - 1e-12, 1 - true, 0.0)
        return ratio(1 - said - true + both, without).sum(-1) / np.maximum((without > 0).sum(-1), 1)
