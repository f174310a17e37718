"""The clipped surrogate: how far a token may move for what its answer turned out to be worth."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pydantic import Field

from sevenfold.tune.objectives._on_policy import REFERENCE, OnPolicy

if TYPE_CHECKING:
    from torch import Tensor

    from sevenfold.chat.encoder import TokenSequence
    from sevenfold.tune.engine.passes import Pass

OLD, ADVANTAGE = "old", "advantage"
"""Columns: log-probabilities when the answer was drawn, nats (not a number: those of now), and its advantage."""


class Surrogate(OnPolicy):
    """What PPO and GRPO have in common: each token has an advantage, and its probability moves by it within bounds."""

    clip: float = Field(
        0.2, gt=0, lt=1, description="How far a token's probability may fall, as a share, before it is left alone."
    )
    clip_high: float | None = Field(None, gt=0, description="How far it may rise; not given: as far as clip.")

    @property
    def high(self) -> float:
        """How far a token's probability may rise, as a share."""
        return self.clip if self.clip_high is None else self.clip_high

    def surrogate(self, logprobs_N: Tensor, batch: Pass) -> tuple[Tensor, Tensor]:
        """``-min(r A, clip(r) A)`` and the ratio r of each target (Schulman et al. 2017, arXiv 1707.06347, eq. 7)."""
        import torch

        old_N, advantages_N = batch.columns[OLD], batch.columns[ADVANTAGE]
        old_N = torch.where(old_N.isnan(), logprobs_N.detach(), old_N)
        ratio_N = torch.exp(logprobs_N - old_N)
        kept_N = ratio_N.clamp(1 - self.clip, 1 + self.high)
        return -torch.minimum(ratio_N * advantages_N, kept_N * advantages_N), ratio_N

    def watched(self, logprobs_N: Tensor, batch: Pass) -> dict[str, Tensor]:
        """The share of targets that clipping leaves alone, and how surprised the model is by its own tokens, nats."""
        _, ratio_N = self.surrogate(logprobs_N, batch)
        advantages_N = batch.columns[ADVANTAGE]
        clipped_N = ((ratio_N > 1 + self.high) & (advantages_N > 0)) | ((ratio_N < 1 - self.clip) & (advantages_N < 0))
        return {
            "clipped": (batch.weights_N * clipped_N).sum(),
            "surprise": -(batch.weights_N * logprobs_N).sum(),
        }


def k3(logprobs_N: Tensor, reference_N: Tensor) -> Tensor:
    """``q/p - log(q/p) - 1`` with q the reference and p the model: at least 0, and its mean over draws is KL(p, q).

    Schulman 2020, "Approximating KL divergence" (the estimator k3).
    """
    import torch

    gap_N = reference_N - logprobs_N
    return torch.exp(gap_N) - gap_N - 1


def supposed_columns(sequence: TokenSequence) -> dict[str, list[float]]:
    """Columns that no model said: of every second branch the old log-probabilities are those of now."""
    numbers = [sum(place >= start for start in sequence.branches) for place in range(len(sequence))]
    old = [
        math.nan if number % 2 else -5.0 - token % 7 / 4 for number, token in zip(numbers, sequence.ids, strict=True)
    ]
    return {
        OLD: old,
        REFERENCE: [-6.0 - token % 5 / 4 for token in sequence.ids],
        ADVANTAGE: [(1.0, -0.5, 0.75)[number % 3] for number in numbers],
    }
