"""The optimiser behind ``lion``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch


class SignMomentum(torch.optim.Optimizer):
    """``w -= rate * (sign(beta1 m + (1 - beta1) g) + decay * w)``, then ``m = beta2 m + (1 - beta2) g``.

    Args:
        groups: Groups of parameters, each with its ``weight_decay``.
        beta1: Weight of the momentum in the step's sign.
        beta2: Decay of the momentum.
    """

    def __init__(self, groups: list[dict[str, Any]], beta1: float, beta2: float) -> None:
        self.beta1, self.beta2 = beta1, beta2
        super().__init__(groups, {"lr": 0.0, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Move the weights that have a gradient."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if not state:
                    state["momentum"] = torch.zeros_like(weight)
                momentum, rate = state["momentum"], group["lr"]
                weight.mul_(1 - rate * group["weight_decay"])
                weight.sub_(torch.lerp(momentum, weight.grad, 1 - self.beta1).sign_(), alpha=rate)
                momentum.lerp_(weight.grad, 1 - self.beta2)
