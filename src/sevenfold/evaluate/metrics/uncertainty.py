"""How unsure a model is of what it writes itself."""

from __future__ import annotations

from typing import ClassVar, Literal

from sevenfold.evaluate.metrics import Better, LikelihoodMetric


class Uncertainty(LikelihoodMetric):
    """Mean over rows of the negative log-likelihood per token of the model's own answer, nats; 0 up, lower is better.

    ``-1/T sum over tokens of log p(token | prompt, tokens before)``, the stop token included (length-normalised
    predictive uncertainty of the likeliest answer: Malinin and Gales 2021, arXiv 2002.07650). Lower is surer, and not
    righter: look at it beside a metric of answers, as a model that is sure of nonsense has a low one. Every row weighs
    the same, however long its answer is. The model reads its answer once more for it.
    """

    of: ClassVar[Literal["reference", "prompt", "answer"]] = "answer"
    better: ClassVar[Better] = "lower"
    unit: ClassVar[str] = "nats per token"
