"""Adafactor: the second moment of a matrix from its rows and columns (Shazeer and Stern 2018, arXiv 1804.04235)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import Field

from sevenfold.tune.optimizers import FLOAT32, Optimizer

if TYPE_CHECKING:
    import torch


class Adafactor(Optimizer):
    """Of a matrix m x n it keeps m + n numbers: ``v = r c^T / mean(r)``; other parameters have one for each element.

    A step is ``rate * max(1e-3, rms(w)) * u / max(1, rms(u) / clip)`` with ``u = g / sqrt(v)``, so the rate is a share
    of a weight's own size: 1e-2 is a usual one. The decay of the means is ``1 - t^decay``.
    """

    decay: float = Field(-0.8, lt=0, description="Exponent of the course of the second moment's decay.")
    clip: float = Field(1.0, gt=0, description="Root mean square of a step, before the rate, above which it is scaled.")
    weight_decay: float = Field(0.0, ge=0, description="Share of a matrix taken off per step, times the learning rate.")

    def build(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        """That of torch."""
        import torch

        decayed = [{**group, "weight_decay": self.weight_decay if group["matrices"] else 0.0} for group in groups]
        return torch.optim.Adafactor(decayed, lr=0.0, beta2_decay=self.decay, d=self.clip)

    def state_bytes(self, weights: Mapping[str, torch.nn.Parameter]) -> int:
        """A number for each row and each column of a matrix, one for each element of anything else."""
        numbers = sum(
            weight.numel() // weight.shape[-1] + weight.numel() // weight.shape[-2]
            if weight.ndim > 1
            else weight.numel()
            for weight in weights.values()
        )
        return FLOAT32 * numbers
