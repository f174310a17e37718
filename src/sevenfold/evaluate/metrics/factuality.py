"""Whether the passages say what the answer says."""

from __future__ import annotations

from typing import ClassVar

from sevenfold.evaluate.metrics import Better
from sevenfold.evaluate.metrics._grounded import Grounded, Grounds, numbers, sentences
from sevenfold.evaluate.metrics._judged import Asked


class Factuality(Grounded):
    """The mean over an answer's sentences of how far the passages support each; 0 to 1, higher is better.

    Claims over claims that the context supports, as "faithfulness" of RAGAS (Es et al. 2023, arXiv 2309.15217), with
    sentences as claims. ``judge``: its score of each sentence as a claim behind the passages. ``text``: the share of
    the sentence's words that the passages have, rare words counting more, and 0 where it has a number that they have
    not. Words do not see a "not" or who did what to whom. What the passages do not say may still be true: it is not
    looked up. An answer without a sentence has 0.
    """

    better: ClassVar[Better] = "higher"
    unit: ClassVar[str] = "share of claims"
    high: ClassVar[float] = 1.0

    def by_text(self, grounds: Grounds) -> float:
        """The mean share."""
        claims = sentences(grounds.answer)
        known = numbers("\n".join(grounds.chunks))
        shares = [grounds.share(claim, grounds.chunks) if numbers(claim) <= known else 0.0 for claim in claims]
        return sum(shares) / len(shares) if shares else 0.0

    def asked(self, grounds: Grounds) -> list[Asked]:
        """Each sentence."""
        criteria = (
            "The conversation holds a text, and the answer is a claim. The best claim is one that the text says or "
            "that follows from it; the worst is one that the text contradicts or says nothing of. Your own knowledge "
            "does not count."
        )
        text = (("text", "\n\n".join(grounds.chunks)),)
        return [Asked(criteria, text, claim) for claim in sentences(grounds.answer)]
