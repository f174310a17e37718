"""Mean negative log-likelihood of the references."""

from __future__ import annotations

from typing import ClassVar

from sevenfold.evaluate.metrics import Better, LikelihoodMetric


class Loss(LikelihoodMetric):
    """Negative log-likelihood of the references per token, nats; 0 to infinity, lower is better.

    ``sum over rows of -log p(reference | prompt) / sum over rows of its tokens``: the figure that training minimises,
    here on rows it never saw. Tokens weigh the same whatever row they stand in.
    """

    better: ClassVar[Better] = "lower"
    unit: ClassVar[str] = "nats per token"
