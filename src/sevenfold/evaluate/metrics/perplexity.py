"""The exponential of the loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sevenfold.evaluate.metrics import Better, LikelihoodMetric

if TYPE_CHECKING:
    from sevenfold.evaluate.metrics import Floats


class Perplexity(LikelihoodMetric):
    """``exp`` of the mean negative log-likelihood per token; 1 to infinity, lower is better.

    Between how many equally likely tokens the model hesitates on average (Jelinek et al. 1977). It depends on the
    tokenizer, so it compares a base with what was tuned from it and not models with different vocabularies.
    """

    better: ClassVar[Better] = "lower"
    unit: ClassVar[str] = "tokens"
    low: ClassVar[float] = 1.0

    def finish(self, mean: Floats) -> Floats:
        """The exponential of the mean negative log-likelihood."""
        import numpy as np

        return np.exp(mean)
