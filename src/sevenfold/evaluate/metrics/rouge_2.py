"""Pairs of neighbouring words that answer and reference have in common."""

from __future__ import annotations

from typing import ClassVar

from sevenfold.evaluate.metrics import AnswerMetric, Better
from sevenfold.evaluate.metrics._ngrams import rouge_n


class Rouge2(AnswerMetric):
    """ROUGE-2 F1 of each answer, averaged over rows; 0 to 1, higher is better.

    ``2 common / (said + true)`` over pairs of words, each as often as both have it (Lin 2004, "ROUGE: A Package for
    Automatic Evaluation of Summaries", section 2, as an F1). Words are read as by ``rouge_l``, in any script.
    """

    better: ClassVar[Better] = "higher"
    unit: ClassVar[str] = "F1"
    high: ClassVar[float] = 1.0

    def value(self, answer: str, reference: str) -> float:
        """The F1 of one pair."""
        return rouge_n(answer, reference, 2)
