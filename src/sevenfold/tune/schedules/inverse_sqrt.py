"""The Transformer's own schedule (Vaswani et al. 2017, arXiv 1706.03762)."""

from __future__ import annotations

from pydantic import Field

from sevenfold.tune.schedules import Schedule


class InverseSqrt(Schedule):
    """``1 / sqrt(1 + share / scale)``: falls fast, then ever more slowly, and never to zero."""

    scale: float = Field(
        0.05, gt=0, description="Share of the steps after which the rate is 1 / sqrt(2) of the highest."
    )

    def after_warmup(self, share: float) -> float:
        """``1 / sqrt(1 + share / scale)``."""
        return (1 + share / self.scale) ** -0.5
