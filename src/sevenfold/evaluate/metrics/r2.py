"""The share of the variance that is explained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from sevenfold.evaluate.metrics import AnswersMetric, Better
from sevenfold.evaluate.metrics._numbers import errors

if TYPE_CHECKING:
    from sevenfold.evaluate.metrics import Floats


class R2(AnswersMetric):
    """``1 - mean squared error / variance of the references``; 1 is perfect, 0 what their mean says, higher is better.

    An answer is the
    first number in it; one without a number counts as the mean of the references.
    """

    better: ClassVar[Better] = "higher"
    unit: ClassVar[str] = "share of the variance"
    low: ClassVar[float] = float("-inf")
    high: ClassVar[float] = 1.0

    def table(self, answers: Sequence[str], references: Sequence[str]) -> Floats:
        """Each row's squared error, negative; the reference, and its square."""
        import numpy as np

        missed_N, true_N = errors(answers, references)
        # Less a number near all of them, so that the variance is no small difference of large squares.
        centred_N = true_N - true_N.mean()
        return np.stack([-(missed_N**2), centred_N, centred_N**2], 1)

    def finish(self, mean: Floats) -> Floats:
        """One less the share that is not explained; 0 where all references are the same."""
        import numpy as np

        variance = mean[..., 2] - mean[..., 1] ** 2
        return 1 + np.divide(mean[..., 0], variance, out=np.full_like(variance, -1.0), where=variance > 0)
