"""Cosine falls one behind the other (SGDR, Loshchilov and Hutter 2016, arXiv 1608.03983)."""

from __future__ import annotations

import math

from pydantic import Field

from sevenfold.tune.schedules import Schedule


class Restarts(Schedule):
    """``cycles`` falls along half a cosine, each from the highest rate."""

    cycles: int = Field(3, ge=1, description="Falls.")
    floor: float = Field(0.0, ge=0, le=1, description="The factor at the end of each.")

    def after_warmup(self, share: float) -> float:
        """``floor + (1 - floor) * (1 + cos(pi * place in the cycle)) / 2``."""
        place = 1.0 if share >= 1 else (share * self.cycles) % 1
        return self.floor + (1 - self.floor) * (1 + math.cos(math.pi * place)) / 2
