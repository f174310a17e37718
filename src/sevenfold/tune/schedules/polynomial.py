"""A fall along a power of what is left."""

from __future__ import annotations

from pydantic import Field

from sevenfold.tune.schedules import Schedule


class Polynomial(Schedule):
    """``floor + (1 - floor) * (1 - share)^power``; power 1 is a straight line."""

    power: float = Field(2.0, gt=0, description="Exponent; above 1 falls early, below 1 late.")
    floor: float = Field(0.0, ge=0, le=1, description="The factor at the end.")

    def after_warmup(self, share: float) -> float:
        """``floor + (1 - floor) * (1 - share)^power``."""
        return self.floor + (1 - self.floor) * (1 - share) ** self.power
