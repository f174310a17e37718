"""How long the answer is."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from sevenfold.tune.rewards import Answered, Reward


class Length(Reward):
    """1 between ``least`` and ``most`` tokens, falling to 0 over ``margin`` tokens beside them.

    An answer that did not end by itself has the value 0 where ``ended`` asks for that.
    """

    apart: ClassVar[bool] = False
    least: int = Field(1, ge=0, description="Fewest tokens of a good answer, its stop token included.")
    most: int = Field(64, ge=1, description="Most tokens of a good answer.")
    margin: int = Field(32, ge=1, description="Tokens outside of these bounds over which the value falls to 0.")
    ended: bool = Field(True, description="Whether an answer that was cut at the limit has the value 0.")

    def value(self, answered: Answered) -> float:
        """The reward."""
        if self.ended and not answered.ended:
            return 0.0
        outside = max(self.least - answered.tokens, answered.tokens - self.most, 0)
        return max(0.0, 1.0 - outside / self.margin)
