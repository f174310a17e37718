"""How far the probabilities are from what is true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from sevenfold.evaluate.metrics import Better, ProbabilitiesMetric

if TYPE_CHECKING:
    from sevenfold.evaluate.metrics import Floats


class Brier(ProbabilitiesMetric):
    """Mean over rows of ``sum over labels of (probability - whether true)^2``; 0 to 2, lower is better.

    Brier 1950, "Verification of forecasts expressed in terms of probability": right and sure is 0, wrong and sure is 2;
    it rewards both to know and to know how well one knows. Of two labels it is twice the form that looks at one alone.
    Who says a label alone says it with probability 1.
    """

    better: ClassVar[Better] = "lower"
    unit: ClassVar[str] = "squared probability"
    high: ClassVar[float] = 2.0

    def table(self, probs: Sequence[Mapping[str, float]], references: Sequence[str]) -> Floats:
        """Each row's score."""
        import numpy as np

        rows = []
        for said, reference in zip(probs, references, strict=True):
            own = reference.strip()
            others = sum(share**2 for label, share in said.items() if label != own)
            rows.append([(1 - said.get(own, 0.0)) ** 2 + others])
        return np.array(rows, dtype=np.float64)

    def finish(self, mean: Floats) -> Floats:
        """The mean."""
        return mean[..., 0]
