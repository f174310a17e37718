"""Whether an answer has the reference's words."""

from __future__ import annotations

from typing import ClassVar

from sevenfold.evaluate.metrics import AnswerMetric, Better
from sevenfold.evaluate.metrics._words import bare


class SpanExact(AnswerMetric):
    """Share of answers with the reference's words; 0 to 1, higher is better.

    The exact match of SQuAD (Rajpurkar et al. 2016, arXiv 1606.05250): lower case, without punctuation and articles.
    """

    better: ClassVar[Better] = "higher"
    unit: ClassVar[str] = "share of rows"
    high: ClassVar[float] = 1.0
    binary: ClassVar[bool] = True

    def value(self, answer: str, reference: str) -> float:
        """1.0 when they are equal, else 0.0."""
        return float(bare(answer) == bare(reference))
