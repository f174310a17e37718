"""A fall by the same share at every step."""

from __future__ import annotations

from pydantic import Field

from sevenfold.tune.schedules import Schedule


class Exponential(Schedule):
    """``end^share``: from the highest rate to ``end`` times it."""

    end: float = Field(0.01, gt=0, le=1, description="The factor at the end.")

    def after_warmup(self, share: float) -> float:
        """``end^share``."""
        return self.end**share
