"""How much of the passages stands in the answer."""

from __future__ import annotations

from typing import ClassVar

from sevenfold.evaluate.metrics import Better
from sevenfold.evaluate.metrics._grounded import Grounded, Grounds
from sevenfold.evaluate.metrics._judged import Asked


class ChunkUtilisation(Grounded):
    """The mean over passages of the share of each that the answer uses; 0 to 1, higher: less was found in vain.

    ``judge``: its score of how much of each passage the answer uses. ``text``: the share of the passage's words that
    the answer has, rare words counting more. The term is in use without a formula that all share; this one is ours.
    Low is no fault where passages are long and the question is small: it says that shorter ones would do.
    """

    better: ClassVar[Better] = "higher"
    unit: ClassVar[str] = "share of the text"
    high: ClassVar[float] = 1.0

    def by_text(self, grounds: Grounds) -> float:
        """The mean share."""
        return sum(grounds.share(chunk, [grounds.answer]) for chunk in grounds.chunks) / len(grounds.chunks)

    def asked(self, grounds: Grounds) -> list[Asked]:
        """Each passage."""
        criteria = (
            "The conversation holds a passage. The best answer uses everything that the passage says; the worst uses "
            "nothing of it. Whether the answer is right does not count."
        )
        return [Asked(criteria, (("passage", chunk),), grounds.answer) for chunk in grounds.chunks if grounds.answer]
