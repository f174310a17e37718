"""Whether the answer's number is the reference's."""

from __future__ import annotations

import re
from typing import ClassVar, Literal

from pydantic import Field

from sevenfold.errors import DataError
from sevenfold.tune.rewards import Answered, Reward

NUMBER = re.compile(r"[-+]?\d[\d,٬]*(?:[.٫]\d+)?")
"""Digits of any script, with separators of thousands and a decimal point."""


class Number(Reward):
    """1 when the last number of the answer is the last number of the row's reply, else 0.

    Digits of every script count. ``near`` gives a part of the reward to a number that is close.
    """

    apart: ClassVar[bool] = False
    take: Literal["last", "first"] = Field("last", description="Which of the answer's numbers is its result.")
    tolerance: float = Field(0.0, ge=0, description="Difference that is still right, as a share of the reference.")
    near: float = Field(
        0.0, ge=0, lt=1, description="Reward of a number at twice the reference or at zero, growing to 1 as it nears."
    )

    def value(self, answered: Answered) -> float:
        """The reward.

        Raises:
            DataError: The reply has no number.
        """
        wanted = numbers(answered.reference)
        if not wanted:
            raise DataError(f"the reply {answered.reference!r} has no number", next_step="another reward for such rows")
        found = numbers(answered.answer)
        if not found:
            return 0.0
        given, right = (some[-1 if self.take == "last" else 0] for some in (found, wanted))
        off = abs(given - right) / max(abs(right), 1e-12)
        return 1.0 if off <= self.tolerance else self.near * max(0.0, 1.0 - off)


def numbers(text: str) -> list[float]:
    """All numbers of a text."""
    plain = (found.replace(",", "").replace("٬", "").replace("٫", ".") for found in NUMBER.findall(text))
    return [float(found) for found in plain]
