"""Characters that are wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from sevenfold.evaluate.metrics import AnswersMetric, Better
from sevenfold.evaluate.metrics._edits import rate, table_of_edits

if TYPE_CHECKING:
    from sevenfold.evaluate.metrics import Floats


class Cer(AnswersMetric):
    """Character error rate of all rows together; 0 and up, lower is better.

    ``(substituted + left out + put in) / characters of the references``, the fewest edits that make one of the other
    (Levenshtein 1966; the measure of speech recognition, here as jiwer has it). It can be above 1 where answers are
    longer than their references. Runs of white space are one space, Unicode NFC; case and punctuation count.
    Spaces are characters.
    """

    better: ClassVar[Better] = "lower"
    unit: ClassVar[str] = "edits per character"

    def table(self, answers: Sequence[str], references: Sequence[str]) -> Floats:
        """Each row's own rate, then its edits and the characters of its reference."""
        return table_of_edits(answers, references, list, "cer")

    def finish(self, mean: Floats) -> Floats:
        """All edits over all characters."""
        return rate(mean)
