"""Of what was said to have a label, the share that has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from sevenfold.evaluate.metrics import AnswersMetric, Better
from sevenfold.evaluate.metrics._labels import counted, ratio, table_of_some

if TYPE_CHECKING:
    from sevenfold.evaluate.metrics import Floats


class MacroPrecision(AnswersMetric):
    """The mean over labels of ``right / said``, each label's precision; 0 to 1, higher is better.

    A label that rows have and no answer says has 0, as in scikit-learn (van Rijsbergen 1979, "Information Retrieval",
    chapter 7, for one label). With one label named, it is that label's precision. Answers are read as by ``accuracy``.
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
        """The mean precision of the labels that were said or are true."""
        import numpy as np

        _, said, true, both = counted(mean)
        return ratio(both, said).sum(-1) / np.maximum((said + true > 0).sum(-1), 1)
