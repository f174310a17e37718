"""How many of the passages the answer was written from."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from sevenfold.evaluate.metrics import Better
from sevenfold.evaluate.metrics._grounded import Grounded, Grounds, sentences
from sevenfold.evaluate.metrics._judged import Asked


class ChunkAttribution(Grounded):
    """The share of the passages that the answer has something from; 0 to 1, higher: more of the search was of use.

    ``judge``: the mean of its scores of "was written from this passage". ``text``: a sentence is from the passage that
    has the largest share of its words, if that is at least ``least``; the passages that some sentence is from, over
    all. Rare words count more. The term is in use without a formula that all share; this one is ours. Many passages
    that are not needed lower it whatever the model does.
    """

    better: ClassVar[Better] = "higher"
    unit: ClassVar[str] = "share of passages"
    high: ClassVar[float] = 1.0
    least: float = Field(
        0.5, gt=0, le=1, description="By text: the share of a sentence's words that makes it from there."
    )

    def by_text(self, grounds: Grounds) -> float:
        """The share."""
        used = set()
        for sentence in sentences(grounds.answer):
            shares = [grounds.share(sentence, [chunk]) for chunk in grounds.chunks]
            if max(shares) >= self.least:
                used.add(shares.index(max(shares)))
        return len(used) / len(grounds.chunks)

    def asked(self, grounds: Grounds) -> list[Asked]:
        """Each passage."""
        criteria = (
            "The conversation holds a passage. The best answer says something that stands in this passage; the worst "
            "has nothing from it, even where both are about the same thing."
        )
        return [Asked(criteria, (("passage", chunk),), grounds.answer) for chunk in grounds.chunks if grounds.answer]
