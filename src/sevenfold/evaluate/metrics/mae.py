"""Mean absolute error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from sevenfold.evaluate.metrics import AnswersMetric, Better
from sevenfold.evaluate.metrics._numbers import errors

if TYPE_CHECKING:
    from sevenfold.evaluate.metrics import Floats


class Mae(AnswersMetric):
    """Mean absolute error in the rows' own units; 0 and up, lower is better.

    The mean of ``|answer - reference|``. An answer is the first number in it; one without a number counts as the mean
    of the references.
    """

    better: ClassVar[Better] = "lower"
    unit: ClassVar[str] = "the rows' unit"

    def table(self, answers: Sequence[str], references: Sequence[str]) -> Floats:
        """Each row's absolute error."""
        return abs(errors(answers, references)[0])[:, None]

    def finish(self, mean: Floats) -> Floats:
        """The mean."""
        return mean[..., 0]
