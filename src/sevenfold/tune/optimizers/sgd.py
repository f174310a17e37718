"""Gradient descent, plain or with momentum (Polyak 1964; Nesterov 1983)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import Field

from sevenfold.tune.optimizers import FLOAT32, Optimizer

if TYPE_CHECKING:
    import torch


class Sgd(Optimizer):
    r"""``m = momentum * m + g``, ``w -= rate * m``; with Nesterov's look ahead ``w -= rate * (g + momentum * m)``.

    Without momentum it is gradient descent and has no state. Its rate is far above Adam's, and hangs on the size of
    the gradient.
    """

    momentum: float = Field(0.9, ge=0, lt=1, description="Share of the last step that goes on; 0: gradient descent.")
    nesterov: bool = Field(False, description="Look ahead along the momentum.")
    weight_decay: float = Field(0.0, ge=0, description="Times a matrix, added to its gradient.")

    def build(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        """That of torch."""
        import torch

        decayed = [{**group, "weight_decay": self.weight_decay if group["matrices"] else 0.0} for group in groups]
        nesterov = self.nesterov and self.momentum > 0
        return torch.optim.SGD(decayed, lr=0.0, momentum=self.momentum, nesterov=nesterov)

    def state_bytes(self, weights: Mapping[str, torch.nn.Parameter]) -> int:
        """One number each with momentum."""
        return FLOAT32 * sum(weight.numel() for weight in weights.values()) if self.momentum else 0
