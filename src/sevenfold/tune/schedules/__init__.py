"""Schedules: the course of the learning rate. One file each; its name is its name in the recipe."""

from __future__ import annotations

from abc import abstractmethod

from pydantic import Field

from sevenfold.registry import Registry
from sevenfold.schema import Component


class Schedule(Component):
    """A factor of the highest learning rate for each step."""

    warmup: float = Field(0.05, ge=0, lt=1, description="Share of the steps over which the rate rises from zero.")

    @abstractmethod
    def after_warmup(self, share: float) -> float:
        """The factor when ``share`` (0 to 1) of the steps behind the warm-up are done."""

    def factor(self, step: int, total: int) -> float:
        """The factor for a step.

        Args:
            step: Counted from 0.
            total: All steps of the run.
        """
        warm = round(self.warmup * total)
        if step < warm:
            return (step + 1) / (warm + 1)
        return self.after_warmup((step - warm) / max(1, total - warm))


SCHEDULES = Registry[Schedule](__name__, Schedule)
