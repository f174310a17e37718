"""The optimiser behind ``schedule_free``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor


class Averaged(torch.optim.Optimizer):
    """Weights are y; the state holds z, and x is computed from both.

    Args:
        groups: Groups of parameters, each with its ``weight_decay``.
        beta1: Share of x in y.
        beta2: Decay of the mean of squared gradients.
        eps: Added to the root of the second moment.
    """

    def __init__(self, groups: list[dict[str, Any]], beta1: float, beta2: float, eps: float) -> None:
        self.beta1, self.beta2, self.eps = beta1, beta2, eps
        super().__init__(groups, {"lr": 0.0, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Move the weights that have a gradient."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    self.move(weight, weight.grad, group["lr"], group["weight_decay"])

    def move(self, weight: Tensor, gradient: Tensor, rate: float, decay: float) -> None:
        """One step of one parameter."""
        state = self.state[weight]
        if not state:
            state.update(
                step=torch.zeros(()), rates=torch.zeros(()), z=weight.clone(), squares=torch.zeros_like(weight)
            )
        state["step"] += 1
        state["rates"] += rate**2
        average_x = self.average(weight)
        squares = state["squares"].mul_(self.beta2).addcmul_(gradient, gradient, value=1 - self.beta2)
        root = (squares / (1 - self.beta2 ** float(state["step"]))).sqrt_().add_(self.eps)
        state["z"].sub_(gradient / root + decay * weight, alpha=rate)
        # A rate of zero, at the very start of a warm-up, moves nothing.
        average_x.lerp_(state["z"], rate**2 / max(float(state["rates"]), 1e-30))
        weight.copy_(average_x.lerp_(state["z"], 1 - self.beta1))

    def average(self, weight: Tensor) -> Tensor:
        """``x = (y - (1 - beta1) z) / beta1``, a new tensor."""
        return torch.lerp(weight, self.state[weight]["z"], 1 - 1 / self.beta1)

    @torch.no_grad()
    def settle(self) -> None:
        """Put x into the place of y, for good."""
        for weight in self.moved():
            weight.copy_(self.average(weight))

    @contextmanager
    def settled(self) -> Iterator[None]:
        """Weights are x inside the block, and behind it what they were, bit for bit."""
        kept = [(weight, weight.detach().clone()) for weight in self.moved()]
        self.settle()
        try:
            yield
        finally:
            with torch.no_grad():
                for weight, value in kept:
                    weight.copy_(value)

    def moved(self) -> list[Tensor]:
        """The parameters that have been moved."""
        return [weight for group in self.param_groups for weight in group["params"] if self.state.get(weight)]
