"""Adam: momentum over a running root mean square (Kingma and Ba 2014, arXiv 1412.6980)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from sevenfold.tune.optimizers import Optimizer

if TYPE_CHECKING:
    import torch


class Adam(Optimizer):
    """``m`` and ``v`` are running means of ``g`` and ``g^2``, ``w -= rate * m' / (sqrt(v') + eps)``, both corrected.

    ``m' = m / (1 - beta1^t)``, ``v' = v / (1 - beta2^t)``. Weight decay is part of the gradient here; ``adamw`` keeps
    the two apart.
    """

    beta1: float = Field(0.9, ge=0, lt=1, description="Decay of the mean of gradients.")
    beta2: float = Field(0.999, ge=0, lt=1, description="Decay of the mean of squared gradients.")
    eps: float = Field(1e-8, gt=0, description="Added to the root of the second moment.")
    weight_decay: float = Field(0.0, ge=0, description="Times a matrix, added to its gradient.")

    def build(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        """The fused Adam of torch."""
        import torch

        decayed = [{**group, "weight_decay": self.weight_decay if group["matrices"] else 0.0} for group in groups]
        return torch.optim.Adam(decayed, lr=0.0, betas=(self.beta1, self.beta2), eps=self.eps, fused=True)
