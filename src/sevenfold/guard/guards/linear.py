"""The small default: sentence embeddings and a linear head, which run on any machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from sevenfold.chat.conversation import Conversation
from sevenfold.guard import Flag, Guard, Judgement, OpenGuard, Side, judged_text
from sevenfold.guard.head import SAFE, Head, read
from sevenfold.vectors import VECTORS, Vectors

DEFAULT = Path(__file__).parents[1] / "heads" / "default.json"
NAMED = 0.1
"""The share of the probability of unsafe from which a category is named beside the likeliest."""


class Linear(Guard):
    """A linear head on the embeddings of a text; the one that comes along knows nine kinds of harm.

    It was learnt from short English texts, and few Persian ones: `docs/guards.md` says how good it is, and at what it
    is bad. One of your own rows is learnt by `sevenfold guard ROWS --fit FILE`.
    """

    main = "head"
    head: str | None = Field(None, description="The file of a head; not given: the one that comes along.")
    threshold: float = Field(0.5, ge=0, le=1, description="The probability of unsafe from which a text is unsafe.")

    def open(self) -> OpenLinear:
        """Read the head."""
        head = read(DEFAULT if self.head is None else Path(self.head).expanduser())
        return OpenLinear(head, VECTORS.find(head.vectors)(), self.threshold)


class OpenLinear(OpenGuard):
    """A head and what makes its vectors.

    Args:
        head: The weights.
        vectors: What makes the vectors.
        threshold: The probability of unsafe from which a text is unsafe.
    """

    def __init__(self, head: Head, vectors: Vectors, threshold: float) -> None:
        self.head, self.vectors, self.threshold = head, vectors, threshold

    def judge(self, conversations: Sequence[Conversation], side: Side = "prompt") -> list[Judgement]:
        """The judged texts alone: what was said before them is not read."""
        texts = [judged_text(one, side) for one in conversations]
        if not texts:
            return []
        found = self.head.probabilities(self.vectors.of(texts))
        return [by_labels(dict(zip(self.head.labels, map(float, row), strict=True)), self.threshold) for row in found]


def by_labels(labels: dict[str, float], threshold: float, safe: str = SAFE) -> Judgement:
    """A judgement from the probability of each label.

    Args:
        labels: Label to probability.
        threshold: The probability of unsafe from which a text is unsafe.
        safe: The label of what may pass.
    """
    score = min(1.0, max(0.0, 1.0 - labels[safe]))
    others = sorted(((name, share) for name, share in labels.items() if name != safe), key=lambda pair: -pair[1])
    flags = tuple(Flag(name, share) for place, (name, share) in enumerate(others) if not place or share > NAMED * score)
    unsafe = score >= threshold
    why = f"{others[0][0]} has the probability {others[0][1]:.3f}, {safe} {labels[safe]:.3f}"
    return Judgement(not unsafe, score, flags if unsafe else (), why=why)
