"""Whether the answer is the reference."""

from __future__ import annotations

import unicodedata
from typing import ClassVar

from sevenfold.tune.rewards import Answered, Reward


class ExactMatch(Reward):
    """1 when the answer equals the row's reply, else 0; white space and composed letters as in the metric."""

    apart: ClassVar[bool] = False

    def value(self, answered: Answered) -> float:
        """1.0 when they are equal."""
        return float(normalised(answered.answer) == normalised(answered.reference))


def normalised(text: str) -> str:
    """The text in NFC with every run of white space as one space, none at the ends."""
    return " ".join(unicodedata.normalize("NFC", text).split())
