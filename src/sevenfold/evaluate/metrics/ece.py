"""Whether a model is right as often as it says it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from sevenfold.evaluate.metrics import Better, ProbabilitiesMetric

if TYPE_CHECKING:
    from sevenfold.evaluate.metrics import Floats


class Ece(ProbabilitiesMetric):
    """Expected calibration error; 0 to 1, lower is better.

    ``sum over bins of (share of the rows) |mean probability of what was said - share that is right|``, bins of equal
    width over the likeliest label's probability (Guo et al. 2017, arXiv 1706.04599). Few rows make it too large: each
    bin's chance is counted as error. Who says a label alone says it with probability 1. A row's own value is the
    distance of its probability from right or wrong.
    """

    better: ClassVar[Better] = "lower"
    unit: ClassVar[str] = "probability"
    high: ClassVar[float] = 1.0
    bins: int = Field(10, ge=1, le=1000, description="Bins from 0 to 1.")

    def table(self, probs: Sequence[Mapping[str, float]], references: Sequence[str]) -> Floats:
        """The row's own distance; then, in the column of its bin, its probability less whether it is right."""
        import numpy as np

        found = np.zeros((len(probs), 1 + self.bins))
        for row, (said, reference) in enumerate(zip(probs, references, strict=True)):
            best = max(said, key=said.__getitem__)
            over = said[best] - float(best == reference.strip())
            found[row, 0] = abs(over)
            found[row, 1 + min(int(said[best] * self.bins), self.bins - 1)] = over
        return found

    def finish(self, mean: Floats) -> Floats:
        """What the bins miss, summed: each bin's share of the rows is in its mean."""
        import numpy as np

        return np.abs(mean[..., 1:]).sum(-1)
