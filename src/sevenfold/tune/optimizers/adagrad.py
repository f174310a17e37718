"""AdaGrad: each parameter's rate falls with the squares it has seen (Duchi et al. 2011)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import Field

from sevenfold.tune.optimizers import FLOAT32, Optimizer

if TYPE_CHECKING:
    import torch


class Adagrad(Optimizer):
    """``s += g^2``, ``w -= rate * g / (sqrt(s) + eps)``: the sum never falls, so the rate dies out by itself."""

    eps: float = Field(1e-10, gt=0, description="Added to the root of the sum.")
    weight_decay: float = Field(0.0, ge=0, description="Times a matrix, added to its gradient.")

    def build(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        """That of torch."""
        import torch

        decayed = [{**group, "weight_decay": self.weight_decay if group["matrices"] else 0.0} for group in groups]
        return torch.optim.Adagrad(decayed, lr=0.0, eps=self.eps)

    def state_bytes(self, weights: Mapping[str, torch.nn.Parameter]) -> int:
        """One number each."""
        return FLOAT32 * sum(weight.numel() for weight in weights.values())
