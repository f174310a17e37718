"""Lion: the sign of a momentum (Chen et al. 2023, arXiv 2302.06675)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import Field

from sevenfold.tune.optimizers import FLOAT32, Optimizer

if TYPE_CHECKING:
    import torch


class Lion(Optimizer):
    """``w -= rate * (sign(beta1 m + (1 - beta1) g) + decay * w)``, then ``m = beta2 m + (1 - beta2) g``.

    One moment in the place of Adam's two. Every element moves by the rate, so a rate of a third to a tenth of Adam's,
    and as many times its weight decay, is the paper's advice.
    """

    beta1: float = Field(0.9, ge=0, lt=1, description="Weight of the momentum in the step's sign.")
    beta2: float = Field(0.99, ge=0, lt=1, description="Decay of the momentum.")
    weight_decay: float = Field(0.0, ge=0, description="Share of a matrix taken off per step, times the learning rate.")

    def build(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        """Our own; torch has none."""
        from sevenfold.tune.optimizers._lion import SignMomentum

        decayed = [{**group, "weight_decay": self.weight_decay if group["matrices"] else 0.0} for group in groups]
        return SignMomentum(decayed, self.beta1, self.beta2)

    def state_bytes(self, weights: Mapping[str, torch.nn.Parameter]) -> int:
        """One number each."""
        return FLOAT32 * sum(weight.numel() for weight in weights.values())
