"""A constant learning rate."""

from __future__ import annotations

from sevenfold.tune.schedules import Schedule


class Constant(Schedule):
    """The highest rate throughout, behind the warm-up."""

    def after_warmup(self, share: float) -> float:
        """Always 1."""
        return 1.0
