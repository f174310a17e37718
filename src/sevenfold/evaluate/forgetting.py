"""Was anything forgotten: the likelihood of general text before and after tuning."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import BaseModel

from sevenfold.evaluate.metrics import Likelihood
from sevenfold.evaluate.metrics.loss import Loss
from sevenfold.evaluate.paired import Comparison, Pairs, compare

SOME, MUCH = 0.05, 0.2
"""Nats per token. Up to 0.05 perplexity grows by at most 5 %, which no reader notices; from 0.2 it grows by 22 % and
more, about what a model one size smaller has."""

Kept = Literal["kept", "some lost", "much lost"]


class Forgetting(BaseModel):
    """How much likelihood general text lost, in nats per token (positive difference: lost)."""

    verdict: Kept
    sure: bool
    """Whether the whole interval of the difference lies in the verdict's band."""
    comparison: Comparison
    passages: int
    thresholds: dict[str, float] = {"some lost": SOME, "much lost": MUCH}


def forgetting(
    base: list[Likelihood], tuned: list[Likelihood], seed: int, resamples: int, confidence: float
) -> Forgetting:
    """Compare the likelihoods of the same passages by two models."""
    metric = Loss()
    pairs = Pairs(
        metric,
        np.array([metric.value(one) for one in base]),
        np.array([metric.value(one) for one in tuned]),
        np.array([float(one.tokens) for one in base]),
    )
    comparison = compare("loss", pairs, seed, resamples, confidence)
    low, high = comparison.interval
    return Forgetting(
        verdict=band(comparison.difference),
        sure=band(low) == band(high),
        comparison=comparison,
        passages=len(base),
    )


def band(difference: float) -> Kept:
    """What a rise of the loss by so many nats per token is called."""
    if difference >= MUCH:
        return "much lost"
    return "some lost" if difference >= SOME else "kept"
