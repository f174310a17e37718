"""More than two models: one strength each, from all meetings together (Bradley and Terry 1952)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
ROUNDS = 20_000
CLOSE = 1e-9
"""A round that moves no strength by more is the last."""
DRAWS = 500


@dataclass(frozen=True)
class Strength:
    """How strong a model is.

    Args:
        model: The model.
        strength: The natural logarithm of its worth, that of the first model being 0: it is preferred to the first with
            probability 1 / (1 + exp(-strength)).
        interval: Of the strength, from rows drawn anew.
        preferred: That probability.
    """

    model: str
    strength: float
    interval: tuple[float, float]
    preferred: float


def strengths(
    models: Sequence[str], won_RKK: Floats, seed: int, confidence: float = 0.95, draws: int = DRAWS
) -> list[Strength]:
    """Each model's strength, the strongest first.

    Args:
        models: The K models.
        won_RKK: For each of R rows how often one model was preferred to another; a tie is half a win of both.
        seed: Of the rows that are drawn anew.
        confidence: The share of such intervals that hold the true strength.
        draws: How often rows are drawn.
    """
    rows = len(won_RKK)
    counts = np.random.default_rng(seed).multinomial(rows, np.full(rows, 1 / rows), size=draws)
    drawn = np.tensordot(counts.astype(np.float64), won_RKK, axes=1)
    found = fitted(np.concatenate([won_RKK.sum(axis=0)[None], drawn]))
    tail = (1 - confidence) / 2
    low, high = np.quantile(found[1:], [tail, 1 - tail], axis=0)
    all_ = [
        Strength(model, value, (float(low[place]), float(high[place])), float(1 / (1 + np.exp(-value))))
        for place, (model, value) in enumerate(zip(models, map(float, found[0]), strict=True))
    ]
    return sorted(all_, key=lambda one: -one.strength)


def fitted(won_BKK: Floats) -> Floats:
    """The strengths of greatest likelihood for each table of wins, ``B x K``, the first model's being 0.

    Every two models that met are given one tie more, so that a model that never lost has a strength too.
    Source: Hunter 2004, "MM algorithms for generalized Bradley-Terry models", equation 3.

    Args:
        won_BKK: Wins of the row's model over the column's.
    """
    met_BKK = won_BKK + won_BKK.transpose(0, 2, 1)
    met = met_BKK > 0
    wins_BK = (won_BKK + 0.5 * met).sum(axis=2)
    games_BKK = met_BKK + met
    worth_BK = np.ones(wins_BK.shape)
    for _ in range(ROUNDS):
        sums_BKK = worth_BK[:, :, None] + worth_BK[:, None, :]
        expected = (games_BKK / sums_BKK).sum(axis=2)
        new = np.where(expected > 0, wins_BK / np.where(expected > 0, expected, 1), worth_BK)
        new /= np.exp(np.log(new).mean(axis=1, keepdims=True))
        moved = float(np.abs(np.log(new) - np.log(worth_BK)).max())
        worth_BK = new
        if moved < CLOSE:
            break
    logs = np.log(worth_BK)
    return np.asarray(logs - logs[:, :1])
