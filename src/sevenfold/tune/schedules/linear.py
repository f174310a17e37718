"""A linear fall of the learning rate."""

from __future__ import annotations

from sevenfold.tune.schedules import Schedule


class Linear(Schedule):
    """From the highest rate to zero in a straight line."""

    def after_warmup(self, share: float) -> float:
        """``1 - share``."""
        return 1.0 - share
