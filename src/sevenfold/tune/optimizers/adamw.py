"""AdamW: Adam with decoupled weight decay (Loshchilov and Hutter 2017, arXiv 1711.05101)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from sevenfold.tune.optimizers import Optimizer

if TYPE_CHECKING:
    import torch


class AdamW(Optimizer):
    """Two moments for each parameter, float32; decay applies to matrices, not to norms and biases."""

    beta1: float = Field(0.9, ge=0, lt=1, description="Decay of the mean of gradients.")
    beta2: float = Field(0.999, ge=0, lt=1, description="Decay of the mean of squared gradients.")
    eps: float = Field(1e-8, gt=0, description="Added to the root of the second moment.")
    weight_decay: float = Field(0.0, ge=0, description="Share of a weight taken off per step, times the learning rate.")

    def build(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        """The fused AdamW of torch."""
        import torch

        decayed = [{**group, "weight_decay": self.weight_decay if group["matrices"] else 0.0} for group in groups]
        return torch.optim.AdamW(decayed, lr=0.0, betas=(self.beta1, self.beta2), eps=self.eps, fused=True)
