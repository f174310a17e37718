"""AdaDelta: steps in the units of the weights (Zeiler 2012, arXiv 1212.5701)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from sevenfold.tune.optimizers import Optimizer

if TYPE_CHECKING:
    import torch


class Adadelta(Optimizer):
    """``d = g sqrt(u + eps) / sqrt(v + eps)`` with means ``v`` of ``g^2`` and ``u`` of ``d^2``, ``w -= rate d``.

    The paper has no learning rate: 1 is its own. Its first steps are as small as the root of ``eps``.
    """

    rho: float = Field(0.9, ge=0, lt=1, description="Decay of both means of squares.")
    eps: float = Field(1e-6, gt=0, description="Added under both roots.")
    weight_decay: float = Field(0.0, ge=0, description="Times a matrix, added to its gradient.")

    def build(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        """That of torch."""
        import torch

        decayed = [{**group, "weight_decay": self.weight_decay if group["matrices"] else 0.0} for group in groups]
        return torch.optim.Adadelta(decayed, lr=0.0, rho=self.rho, eps=self.eps)
