"""A cosine fall of the learning rate (Loshchilov and Hutter 2016, arXiv 1608.03983, without restarts)."""

from __future__ import annotations

import math

from pydantic import Field

from sevenfold.tune.schedules import Schedule


class Cosine(Schedule):
    """From the highest rate to ``floor`` times it along half a cosine."""

    floor: float = Field(0.0, ge=0, le=1, description="The factor at the end.")

    def after_warmup(self, share: float) -> float:
        """``floor + (1 - floor) * (1 + cos(pi * share)) / 2``."""
        return self.floor + (1 - self.floor) * (1 + math.cos(math.pi * share)) / 2
