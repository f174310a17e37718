"""Base against tuned on the same rows: the difference, how sure it is, and how small a difference could be seen."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import BaseModel

if TYPE_CHECKING:
    from sevenfold.evaluate.examined import Figure
    from sevenfold.evaluate.metrics import Floats, Metric

Verdict = Literal["yes", "no", "unclear"]
MINIMUM_ROWS = 6
"""With fewer rows even an unanimous sign test stays above 5 % (2 / 2^5 = 6.25 %), so nothing is called clear."""
POWER = 0.8
"""The chance of finding a difference of the stated minimum size."""
BLOCK = 4_000_000
"""Row draws held at once, so that resampling many rows stays within some tens of megabytes."""
NORMAL = NormalDist()


@dataclass(frozen=True)
class Pairs:
    """A metric's values of the same N rows by two models.

    Args:
        metric: The metric, or a check's figure; its ``finish`` makes a figure of a weighted mean.
        base_N: The base's value of each row.
        tuned_N: The tuned model's value of each row.
        weights_N: Each row's weight: tokens for likelihoods, 1 for answers.
        tables: The figures of base and tuned that ``finish`` takes the means of, ``N x M`` each, where the metric is
            more than a mean of the rows' values.
    """

    metric: Metric | Figure
    base_N: Floats
    tuned_N: Floats
    weights_N: Floats
    tables: tuple[Floats, Floats] | None = None

    def figures(self, rows: np.ndarray | slice) -> tuple[Floats, Floats]:
        """The two figures over ``rows``, along the last axis of a choice of row numbers."""
        if self.tables:
            return self.figures_of_tables(rows, self.tables)
        weights = self.weights_N[rows]
        total = weights.sum(axis=-1)
        base = (self.base_N[rows] * weights).sum(axis=-1) / total
        tuned = (self.tuned_N[rows] * weights).sum(axis=-1) / total
        return self.metric.finish(base), self.metric.finish(tuned)

    def figures_of_tables(self, rows: np.ndarray | slice, tables: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
        """The same of tables: how often each row was drawn, times the table."""
        mass = self.weights_N if isinstance(rows, slice) else drawn_counts(rows, len(self.weights_N)) * self.weights_N
        base, tuned = (self.metric.finish(mass @ table / mass.sum(axis=-1, keepdims=True)) for table in tables)
        return base, tuned

    def without_one(self) -> Floats:
        """The difference with each row left out once, ``N``."""
        total = self.weights_N.sum() - self.weights_N
        columns = self.tables or (self.base_N[:, None], self.tuned_N[:, None])
        sides = []
        for table in columns:
            mass = table * self.weights_N[:, None]
            mean = (mass.sum(axis=0) - mass) / total[:, None]
            sides.append(self.metric.finish(mean if self.tables else mean[:, 0]))
        return sides[1] - sides[0]

    def difference(self, rows: np.ndarray | slice) -> Floats:
        """Tuned less base over ``rows``."""
        base, tuned = self.figures(rows)
        return tuned - base


class Comparison(BaseModel):
    """One metric, base against tuned.

    ``difference`` is tuned less base with its ``confidence`` interval ``[low, high]``. ``better`` is yes when the
    interval excludes zero on the good side, no when on the bad side, and unclear otherwise. Figures are in the
    metric's ``unit``.
    """

    metric: str
    unit: str
    direction: Literal["higher", "lower"]
    base: float
    tuned: float
    difference: float
    interval: tuple[float, float]
    confidence: float
    better: Verdict
    rows: int
    rows_better: float
    """Share of rows on which tuned is better."""
    rows_equal: float
    rows_worse: float
    effect_size: float
    """Mean of the rows' differences over their standard deviation (Cohen's d of pairs), positive where tuned is better;
    0.2 is called small, 0.5 medium, 0.8 large."""
    sign_test_p: float
    """The chance of rows as unevenly better or worse as these if neither model were better; McNemar's exact test where
    rows are right or wrong."""
    detectable: float
    """The smallest true difference that this many rows show four times out of five."""


def compare(name: str, pairs: Pairs, seed: int, resamples: int = 10_000, confidence: float = 0.95) -> Comparison:
    """Compare two models' values of the same rows by a paired bootstrap.

    Args:
        name: The metric's name.
        pairs: The rows' values.
        seed: The seed of the resampling.
        resamples: How often rows are drawn anew.
        confidence: The share of such intervals that hold the true difference.
    """
    count = len(pairs.base_N)
    base, tuned = (float(figure) for figure in pairs.figures(slice(None)))
    drawn = resampled(pairs, seed, resamples)
    low, high = interval(pairs, drawn, confidence)
    sign = 1.0 if pairs.metric.better == "higher" else -1.0
    gains_N = sign * (pairs.tuned_N - pairs.base_N)
    wins, losses = int((gains_N > 0).sum()), int((gains_N < 0).sum())
    chance = sign_test(wins, losses)
    sure = count >= MINIMUM_ROWS and (not pairs.metric.binary or chance < 1 - confidence)
    factor = NORMAL.inv_cdf((1 + confidence) / 2) + NORMAL.inv_cdf(POWER)
    return Comparison(
        metric=name,
        unit=pairs.metric.unit,
        direction=pairs.metric.better,
        base=base,
        tuned=tuned,
        difference=tuned - base,
        interval=(low, high),
        confidence=confidence,
        better=verdict(sign * low, sign * high) if sure else "unclear",
        rows=count,
        rows_better=wins / count,
        rows_equal=(count - wins - losses) / count,
        rows_worse=losses / count,
        effect_size=effect_size(gains_N),
        sign_test_p=chance,
        detectable=factor * float(drawn.std()),
    )


def resampled(pairs: Pairs, seed: int, resamples: int) -> Floats:
    """The difference over rows drawn with replacement, once for each resample.

    Equals ``[pairs.difference(rng.integers(0, N, N)) for _ in range(resamples)]``, whole blocks at a time.
    """
    count = len(pairs.base_N)
    generator = np.random.default_rng(seed)
    block = max(1, BLOCK // count)
    sizes = [min(block, resamples - start) for start in range(0, resamples, block)]
    return np.concatenate([pairs.difference(generator.integers(0, count, (size, count))) for size in sizes])


def drawn_counts(rows: np.ndarray, count: int) -> Floats:
    """How often each of ``count`` rows is in each draw, ``... x count``; draws lie along the last axis."""
    draws = rows.reshape(-1, rows.shape[-1])
    places = draws + count * np.arange(len(draws))[:, None]
    found = np.bincount(places.ravel(), minlength=count * len(draws))
    return found.reshape(*rows.shape[:-1], count).astype(np.float64)


def interval(pairs: Pairs, drawn: Floats, confidence: float) -> tuple[float, float]:
    """The bias-corrected and accelerated interval (BCa) of the difference.

    Source: Efron 1987, "Better Bootstrap Confidence Intervals".

    Args:
        pairs: The rows' values.
        drawn: The differences over resampled rows.
        confidence: The share of such intervals that hold the true difference.
    """
    whole = float(pairs.difference(slice(None)))
    # Rounding alone tells such resamples apart: every row differs by the same amount.
    if np.ptp(drawn) <= 1e-12 * max(1.0, abs(whole)):
        return whole, whole
    below = (float((drawn < whole).mean()) + float((drawn <= whole).mean())) / 2
    bias = NORMAL.inv_cdf(min(max(below, 1 / len(drawn)), 1 - 1 / len(drawn)))
    acceleration = skew_of_jackknife(pairs)
    ends = []
    for tail in ((1 - confidence) / 2, (1 + confidence) / 2):
        moved = bias + NORMAL.inv_cdf(tail)
        ends.append(NORMAL.cdf(bias + moved / (1 - acceleration * moved)))
    low, high = np.quantile(drawn, ends)
    return float(low), float(high)


def skew_of_jackknife(pairs: Pairs) -> float:
    """The acceleration of the interval: a sixth of the skewness of the differences with one row left out each time."""
    total = pairs.weights_N.sum() - pairs.weights_N
    if not total.all():
        return 0.0
    without_N = pairs.without_one()
    away_N = without_N.mean() - without_N
    spread = float((away_N**2).sum())
    return float((away_N**3).sum()) / (6 * spread**1.5) if spread > 0 else 0.0


def verdict(low: float, high: float) -> Verdict:
    """What an interval of gains says: yes above zero, no below it, else unclear."""
    worst, best = min(low, high), max(low, high)
    if worst > 0:
        return "yes"
    return "no" if best < 0 else "unclear"


def effect_size(gains_N: Floats) -> float:
    """The mean over the standard deviation of the rows' gains; 0 where they do not vary."""
    spread = float(gains_N.std(ddof=1)) if len(gains_N) > 1 else 0.0
    return float(gains_N.mean()) / spread if spread > 0 else 0.0


def sign_test(wins: int, losses: int) -> float:
    """The two-sided exact binomial test of wins against losses; ties say nothing (McNemar 1947 for right and wrong)."""
    decided = wins + losses
    if decided == 0:
        return 1.0
    tail = sum(math.comb(decided, index) for index in range(min(wins, losses) + 1))
    return min(1.0, 2 * tail / 2**decided)
