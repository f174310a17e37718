"""ROUGE-N: runs of words that an answer and its reference have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sevenfold.evaluate.metrics.rouge_l import words


def rouge_n(answer: str, reference: str, size: int) -> float:
    """The F1 of runs of ``size`` words; where neither has one, whether both have the same words."""
    ours, theirs = words(answer), words(reference)
    said, true = runs(ours, size), runs(theirs, size)
    count = said.total() + true.total()
    return 2 * (said & true).total() / count if count else float(ours == theirs)


def runs(of: Sequence[str], size: int) -> Counter[tuple[str, ...]]:
    """Each run of ``size`` words and how often it stands there."""
    return Counter(zip(*(of[start:] for start in range(size)), strict=False))
