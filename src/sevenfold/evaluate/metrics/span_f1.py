"""F1 of an answer's words."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar

from sevenfold.evaluate.metrics import AnswerMetric, Better
from sevenfold.evaluate.metrics._words import bare


class SpanF1(AnswerMetric):
    """``2 common / (words said + words of the reference)``, averaged over rows; 0 to 1, higher is better.

    The F1 of SQuAD (Rajpurkar et al. 2016, arXiv 1606.05250): lower case, without punctuation and articles.
    """

    better: ClassVar[Better] = "higher"
    unit: ClassVar[str] = "F1"
    high: ClassVar[float] = 1.0

    def value(self, answer: str, reference: str) -> float:
        """One answer's F1; where neither has a word, 1."""
        said, true = Counter(bare(answer)), Counter(bare(reference))
        count = said.total() + true.total()
        return 2 * (said & true).total() / count if count else 1.0
