"""Which of two answers a model holds to be the better one."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from sevenfold.evaluate.metrics import Better, Likelihood, PairMetric


class PairAccuracy(PairMetric):
    """The share of held-out pairs whose preferred answer the model puts above the rejected one; 0 to 1.

    Above: a higher log-probability behind the prompt, or a higher reward where the tuned model is a reward model; its
    base, which has no reward, is still asked for the log-probability. Equal ones count a half.
    """

    better: ClassVar[Better] = "higher"
    unit: ClassVar[str] = "share of pairs"
    high: ClassVar[float] = 1.0
    per_token: bool = Field(
        False, description="Compare means over an answer's tokens, as simpo and orpo learn, instead of sums."
    )

    def value(self, chosen: Likelihood, rejected: Likelihood) -> float:
        """1 for the preferred answer, 0 for the other, 0.5 for neither."""
        sizes = (chosen.tokens, rejected.tokens) if self.per_token else (1, 1)
        margin = rejected.nll / sizes[1] - chosen.nll / sizes[0]
        return 0.5 if margin == 0 else float(margin > 0)
