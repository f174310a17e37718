"""Whether the passages are about what was asked."""

from __future__ import annotations

from typing import ClassVar

from sevenfold.evaluate.metrics import Better
from sevenfold.evaluate.metrics._grounded import Grounded, Grounds
from sevenfold.evaluate.metrics._judged import Asked


class ContextRelevance(Grounded):
    """The mean over passages of how far each is about the question; 0 to 1, higher is better.

    It judges the search and not the model: base and tuned have the same figure where they are given the same passages
    (after "context relevance" of RAGAS, Es et al. 2023, arXiv 2309.15217, with passages instead of sentences).
    ``judge``: its score of each passage as help with the question. ``text``: the share of the question's words that the
    passage has, rare words counting more; a question shares few words even with the best, so read it against others.
    """

    better: ClassVar[Better] = "higher"
    unit: ClassVar[str] = "relevance"
    high: ClassVar[float] = 1.0

    def by_text(self, grounds: Grounds) -> float:
        """The mean share."""
        return sum(grounds.share(grounds.question, [chunk]) for chunk in grounds.chunks) / len(grounds.chunks)

    def asked(self, grounds: Grounds) -> list[Asked]:
        """Each passage."""
        criteria = (
            "The answer is a passage that a search found for the question. The best passage holds what is needed to "
            "answer the question, or a part of it; the worst has nothing to do with it."
        )
        return [Asked(criteria, (("user", grounds.question),), chunk) for chunk in grounds.chunks]
