"""What wrong labels cost on average."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from sevenfold.evaluate.metrics import AnswersMetric, Better
from sevenfold.evaluate.metrics._said import one_label

if TYPE_CHECKING:
    from sevenfold.evaluate.metrics import Floats


class Cost(AnswersMetric):
    """Mean cost of what was said for what is true; 0 and up, lower is better.

    The mean of ``costs[true][said]``. A right label costs nothing; an answer that names no label costs as much as the
    dearest label for that row.
    """

    better: ClassVar[Better] = "lower"
    unit: ClassVar[str] = "cost"
    costs: dict[str, dict[str, float]] = Field(
        default_factory=dict, description="{true: {said: cost}}; 1 where it is not given."
    )

    def table(self, answers: Sequence[str], references: Sequence[str]) -> Floats:
        """Each row's cost."""
        import numpy as np

        known = {reference.strip() for reference in references}
        pairs = zip(answers, references, strict=True)
        return np.array([[self.of(one_label(answer, known), true.strip())] for answer, true in pairs])

    def of(self, said: str | None, true: str) -> float:
        """What one answer costs."""
        own = self.costs.get(true, {})
        if said is None:
            return max([1.0, *own.values()])
        return own.get(said, float(said != true))

    def finish(self, mean: Floats) -> Floats:
        """The mean."""
        return mean[..., 0]
