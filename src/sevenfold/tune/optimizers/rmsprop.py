"""RMSprop: AdaGrad that forgets (Tieleman and Hinton 2012, lecture 6.5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import Field

from sevenfold.tune.optimizers import FLOAT32, Optimizer

if TYPE_CHECKING:
    import torch


class Rmsprop(Optimizer):
    """``v = alpha * v + (1 - alpha) * g^2``, ``w -= rate * g / (sqrt(v) + eps)``, perhaps with momentum."""

    alpha: float = Field(0.99, ge=0, lt=1, description="Decay of the mean of squared gradients.")
    eps: float = Field(1e-8, gt=0, description="Added to the root.")
    momentum: float = Field(0.0, ge=0, lt=1, description="Share of the last step that goes on.")
    weight_decay: float = Field(0.0, ge=0, description="Times a matrix, added to its gradient.")

    def build(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        """That of torch."""
        import torch

        decayed = [{**group, "weight_decay": self.weight_decay if group["matrices"] else 0.0} for group in groups]
        return torch.optim.RMSprop(decayed, lr=0.0, alpha=self.alpha, eps=self.eps, momentum=self.momentum)

    def state_bytes(self, weights: Mapping[str, torch.nn.Parameter]) -> int:
        """One number each, two with momentum."""
        return FLOAT32 * (1 + (self.momentum > 0)) * sum(weight.numel() for weight in weights.values())
