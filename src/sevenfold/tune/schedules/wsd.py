"""Warm up, stay, fall (Hu et al. 2024, arXiv 2404.06395; Haegele et al. 2024, arXiv 2405.18392)."""

from __future__ import annotations

from pydantic import Field

from sevenfold.tune.schedules import Schedule


class Wsd(Schedule):
    """The highest rate for most of the way, then a fall of ``1 - sqrt`` to zero.

    A training can go on from before the fall, for more steps, as if it had been planned so.
    """

    fall: float = Field(0.2, gt=0, le=1, description="Share of the steps behind the warm-up over which the rate falls.")

    def after_warmup(self, share: float) -> float:
        """1, and over the last ``fall`` of the way ``1 - sqrt`` of how far into it."""
        into = (share - (1 - self.fall)) / self.fall
        return 1.0 if into <= 0 else 1 - into**0.5
