"""Of what has a label, the share that was said to have it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from sevenfold.evaluate.metrics import AnswersMetric, Better
from sevenfold.evaluate.metrics._labels import counted, ratio, table_of_some

if TYPE_CHECKING:
    from sevenfold.evaluate.metrics import Floats


class MacroRecall(AnswersMetric):
    """The mean over labels of ``right / true``, each label's recall; 0 to 1, higher is better.

    Of all labels it is ``balanced_accuracy``; with one label named it is that label's recall, or sensitivity (van
    Rijsbergen 1979, "Information Retrieval", chapter 7). ``recall`` is another thing: of texts that are searched.
    Answers are read as by ``accuracy``.
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
        """The mean recall of the labels that there are."""
        import numpy as np

        _, _, true, both = counted(mean)
        return ratio(both, true).sum(-1) / np.maximum((true > 0).sum(-1), 1)
