"""Character n-gram F-score."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from sevenfold.errors import MachineError
from sevenfold.evaluate.metrics import AnswerMetric, Better

if TYPE_CHECKING:
    from sacrebleu.metrics.chrf import CHRF


class Chrf(AnswerMetric):
    """chrF of each answer, averaged over rows; 0 to 100, higher is better.

    ``(1 + beta^2) P R / (beta^2 P + R)`` of character n-grams (white space left out), P and R averaged over n-gram
    lengths (Popović 2015, "chrF: character n-gram F-score for automatic MT evaluation"), computed by sacrebleu. It
    needs no words, so it serves every language and script.
    """

    better: ClassVar[Better] = "higher"
    unit: ClassVar[str] = "points"
    high: ClassVar[float] = 100.0
    characters: int = Field(6, ge=1, le=20, description="The longest character n-gram.")
    words: int = Field(0, ge=0, le=5, description="The longest word n-gram: 2 is chrF++, 0 leaves words out.")
    beta: int = Field(2, ge=1, le=10, description="How many times recall counts as much as precision.")

    @cached_property
    def scorer(self) -> CHRF:
        """The metric of sacrebleu with these settings."""
        try:
            from sacrebleu.metrics.chrf import CHRF
        except ImportError as error:
            raise MachineError(
                "the metric chrf needs the package sacrebleu, which is not installed",
                next_step="pip install 'sevenfold[evaluate]', or leave chrf out of evaluate.metrics",
            ) from error
        return CHRF(char_order=self.characters, word_order=self.words, beta=self.beta)

    def value(self, answer: str, reference: str) -> float:
        """The sentence's chrF."""
        return float(self.scorer.sentence_score(answer, [reference]).score)
