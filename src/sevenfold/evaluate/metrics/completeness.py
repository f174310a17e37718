"""Whether the answer says all that the passages have for the question."""

from __future__ import annotations

from typing import ClassVar

from sevenfold.evaluate.metrics import Better
from sevenfold.evaluate.metrics._grounded import Grounded, Grounds, sentences
from sevenfold.evaluate.metrics._judged import Asked


class Completeness(Grounded):
    """How much of what the passages have for the question the answer says; 0 to 1, higher is better.

    ``judge``: its score of the answer behind passages and question. ``text``: over the sentences of the passages, the
    share of each one's words that the answer has, weighted by the square of its share of the question's words, so that
    what is about the question counts: ``sum r^2 covered / sum r^2``. Rare words count more. The term is in use without
    a formula that all share; this one is ours. An answer in a few words has little even where they are all that was
    asked: compare two models by it.
    """

    better: ClassVar[Better] = "higher"
    unit: ClassVar[str] = "share"
    high: ClassVar[float] = 1.0

    def by_text(self, grounds: Grounds) -> float:
        """The weighted mean; where no sentence shares a word with the question all count alike."""
        facts = [fact for chunk in grounds.chunks for fact in sentences(chunk)]
        about = [grounds.share(grounds.question, [fact]) ** 2 for fact in facts]
        if not sum(about):
            about = [1.0] * len(facts)
        covered = [grounds.share(fact, [grounds.answer]) for fact in facts]
        total = sum(about)
        return sum(one * other for one, other in zip(about, covered, strict=True)) / total if total else 0.0

    def asked(self, grounds: Grounds) -> list[Asked]:
        """The answer."""
        criteria = (
            "The conversation holds passages and a question. The best answer says everything in the passages that "
            "answers the question; the worst says none of it. What the passages do not say need not be said."
        )
        turns = (("passages", "\n\n".join(grounds.chunks)), ("user", grounds.question))
        return [Asked(criteria, turns, grounds.answer)]
