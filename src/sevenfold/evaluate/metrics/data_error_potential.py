"""How hard the model finds rows for the labels that they have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from sevenfold.evaluate.metrics import Better, ProbabilitiesMetric

if TYPE_CHECKING:
    from sevenfold.evaluate.metrics import Floats


class DataErrorPotential(ProbabilitiesMetric):
    """``(1 - margin) / 2``, averaged over rows; 0 to 1, lower is better, above 0.5 another label is held likelier.

    ``margin = p(the row's own label) - p(the likeliest other label)``: the margin of "area under the margin" (Pleiss et
    al. 2020, arXiv 2001.10528), of the finished model alone and not of all its epochs. The term is in use without a
    formula that all share; this one is ours. It says as much of the data as of the model: rows of the highest values
    (``rows.jsonl``) are rare kinds, hard ones, or have a wrong label. Of training rows and over epochs it is
    ``error_potential`` of ``prepare``'s selection. Who says a label alone has 0 or 1.
    """

    better: ClassVar[Better] = "lower"
    unit: ClassVar[str] = "potential"
    high: ClassVar[float] = 1.0

    def table(self, probs: Sequence[Mapping[str, float]], references: Sequence[str]) -> Floats:
        """Each row's value."""
        import numpy as np

        rows = []
        for said, reference in zip(probs, references, strict=True):
            own = reference.strip()
            other = max((share for label, share in said.items() if label != own), default=0.0)
            rows.append([(1 - said.get(own, 0.0) + other) / 2])
        return np.array(rows, dtype=np.float64)

    def finish(self, mean: Floats) -> Floats:
        """The mean."""
        return mean[..., 0]
