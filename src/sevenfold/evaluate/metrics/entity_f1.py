"""F1 of entities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from sevenfold.evaluate.metrics import AnswersMetric, Better
from sevenfold.evaluate.metrics._said import entities

if TYPE_CHECKING:
    from sevenfold.evaluate.metrics import Floats


class EntityF1(AnswersMetric):
    """``2 right / (said + true)`` over the entities of all rows; 0 to 1, higher is better.

    An entity is a line ``DATE: 3 May`` of the answer; it is right where the reference has the same kind with the same
    words, as often as it has it. Where in the text it stands is not asked, so that models that write can be measured.
    """

    better: ClassVar[Better] = "higher"
    unit: ClassVar[str] = "F1"
    high: ClassVar[float] = 1.0

    def table(self, answers: Sequence[str], references: Sequence[str]) -> Floats:
        """Each row's own F1, then right, said and true entities."""
        import numpy as np

        rows = []
        for answer, reference in zip(answers, references, strict=True):
            said, true = entities(answer), entities(reference)
            right, count = (said & true).total(), said.total() + true.total()
            rows.append([2 * right / count if count else 1.0, right, said.total(), true.total()])
        return np.array(rows, dtype=np.float64)

    def finish(self, mean: Floats) -> Floats:
        """F1 of all; 1 where there are none to be found and none were."""
        import numpy as np

        count = mean[..., 2] + mean[..., 3]
        return np.divide(2 * mean[..., 1], count, out=np.ones_like(count), where=count > 0)
