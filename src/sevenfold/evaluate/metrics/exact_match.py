"""Whether the answer is the reference."""

from __future__ import annotations

import unicodedata
from typing import ClassVar

from sevenfold.evaluate.metrics import AnswerMetric, Better


class ExactMatch(AnswerMetric):
    """Share of answers that equal the reference; 0 to 1, higher is better.

    Runs of white space count as one space, and composed and decomposed letters as equal (Unicode NFC); everything else
    must be the same, capitals and punctuation included.
    """

    better: ClassVar[Better] = "higher"
    unit: ClassVar[str] = "share of rows"
    high: ClassVar[float] = 1.0
    binary: ClassVar[bool] = True

    def value(self, answer: str, reference: str) -> float:
        """1.0 when they are equal, else 0.0."""
        return float(normalised(answer) == normalised(reference))


def normalised(text: str) -> str:
    """The text in NFC with every run of white space as one space, none at the ends."""
    return " ".join(unicodedata.normalize("NFC", text).split())
