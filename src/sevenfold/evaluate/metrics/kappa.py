"""Agreement with the true labels beyond what chance gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from sevenfold.evaluate.metrics import AnswersMetric, Better
from sevenfold.evaluate.metrics._labels import counted, ratio, table_of_labels

if TYPE_CHECKING:
    from sevenfold.evaluate.metrics import Floats


class Kappa(AnswersMetric):
    """Cohen's kappa, ``(right - chance) / (1 - chance)``; -1 to 1, higher is better, 0 is chance.

    ``chance`` is the share that would be right if labels were said as often as they are and of rows at random: the sum
    over labels of ``said x true`` (Cohen 1960, "A coefficient of agreement for nominal scales"). Who always says the
    commonest label has 0. Answers are read as by ``accuracy``; one that names no label agrees with none.
    """

    better: ClassVar[Better] = "higher"
    unit: ClassVar[str] = "kappa"
    low: ClassVar[float] = -1.0
    high: ClassVar[float] = 1.0

    def table(self, answers: Sequence[str], references: Sequence[str]) -> Floats:
        """Whether the row is right, then its labels."""
        return table_of_labels(answers, references)

    def finish(self, mean: Floats) -> Floats:
        """The coefficient; 0 where only one label was said and is true."""
        right, said, true, _ = counted(mean)
        chance = (said * true).sum(-1)
        return ratio(right - chance, 1 - chance)
