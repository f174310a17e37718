"""One model against another on the same rows: the difference, how sure it is, how small a difference could be seen."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import BaseModel

from sevenfold.evaluate.power import detectable_mean, detectable_share
from sevenfold.evaluate.shares import risk_interval, sign_test

if TYPE_CHECKING:
    from sevenfold.evaluate.examined import Figure
    from sevenfold.evaluate.metrics import Floats, Metric

Verdict = Literal["yes", "no", "unclear"]
MINIMUM_ROWS = 6
"""With fewer rows even an unanimous sign test stays above 5 % (2 / 2^5 = 6.25 %), so nothing is called clear."""
NEGLIGIBLE = 0.001
"""What nobody notices, as a share of the metric's range, or of the base's figure where the range has no end. Many rows
tell a model from its copy with one weight touched; a difference below this is called none however sure it is."""
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

    ``difference`` is tuned less base with its ``confidence`` interval ``[low, high]``. ``better`` is yes or no, by the
    side of the difference, when ``p_adjusted`` is below one less the confidence and the difference is at least
    ``negligible``; else it is unclear. Figures are in the metric's ``unit``.
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
    """The smallest true difference that this many rows show four times out of five, when they are asked alone."""
    p: float = 1.0
    """The chance of a difference as far from zero as this one if there were none. Of rows right or wrong that of
    McNemar's exact test; else the larger one of two: the level at which the interval's end touches zero, and the share
    of random swaps of the two models, row by row, that make as large a difference."""
    p_adjusted: float = 1.0
    """The same when ``corrected_for`` questions are asked at once (Holm)."""
    corrected_for: int = 1
    negligible: float = 0.0
    """A difference below this is called none."""
    same: bool = False
    """Whether the whole interval is negligible: not only no difference was found, none that matters is left."""
    interval_by: Literal["bootstrap", "Newcombe"] = "bootstrap"
    """How the interval is made; Newcombe's is of shares right, where few rows are too coarse for a bootstrap."""
    rows_needed: int | None = None
    """How many such rows would show the difference that was found; none where it is none or is seen already."""


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
    share = is_share(pairs, base, tuned)
    low, high = (
        risk_interval(pairs.base_N > 0, pairs.tuned_N > 0, confidence) if share else interval(pairs, drawn, confidence)
    )
    sign = 1.0 if pairs.metric.better == "higher" else -1.0
    gains_N = sign * (pairs.tuned_N - pairs.base_N)
    wins, losses = int((gains_N > 0).sum()), int((gains_N < 0).sum())
    chance = sign_test(wins, losses)
    alpha, p = 1 - confidence, chance if share else max(p_value(pairs, drawn), swap_test(pairs, seed, resamples))
    p = p if count >= MINIMUM_ROWS else 1.0
    least = negligible(pairs.metric, base)
    visible = (
        detectable_share(count, (wins + losses) / count, alpha)
        if share
        else detectable_mean(float(drawn.std()), count, alpha)
    )
    found = verdict(sign * (tuned - base), p, alpha, least)
    return Comparison(
        metric=name,
        unit=pairs.metric.unit,
        direction=pairs.metric.better,
        base=base,
        tuned=tuned,
        difference=tuned - base,
        interval=(low, high),
        confidence=confidence,
        better=found,
        rows=count,
        rows_better=wins / count,
        rows_equal=(count - wins - losses) / count,
        rows_worse=losses / count,
        effect_size=effect_size(gains_N),
        sign_test_p=chance,
        detectable=visible,
        p=p,
        p_adjusted=p,
        negligible=least,
        same=count >= MINIMUM_ROWS and max(abs(low), abs(high)) < least,
        interval_by="Newcombe" if share else "bootstrap",
        rows_needed=rows_needed(count, visible, abs(tuned - base)) if found == "unclear" else None,
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
    """The bias-corrected and accelerated interval (BCa) of the difference, widened for few rows.

    Source: Efron 1987, "Better Bootstrap Confidence Intervals". Rows that are drawn again vary by ``(N - 1) / N`` too
    little, and their spread is itself an estimate; so the normal quantile is replaced by Student's with ``N - 1``
    degrees of freedom times ``sqrt(N / (N - 1))`` (Hesterberg 2015, "What Teachers Should Know About the Bootstrap").

    Args:
        pairs: The rows' values.
        drawn: The differences over resampled rows.
        confidence: The share of such intervals that hold the true difference.
    """
    whole = float(pairs.difference(slice(None)))
    # Rounding alone tells such resamples apart: every row differs by the same amount.
    if np.ptp(drawn) <= 1e-12 * max(1.0, abs(whole)):
        return whole, whole
    bias, acceleration = place(drawn, whole), skew_of_jackknife(pairs)
    ends = []
    reach = widened((1 + confidence) / 2, len(pairs.base_N))
    for far in (-reach, reach):
        moved = bias + far
        ends.append(NORMAL.cdf(bias + moved / (1 - acceleration * moved)))
    low, high = np.quantile(drawn, ends)
    return float(low), float(high)


def p_value(pairs: Pairs, drawn: Floats) -> float:
    """The level at which an end of :func:`interval` touches zero, two-sided.

    With ``w = place of zero - bias``, the interval's formula solved for the quantile gives
    ``w / (1 + acceleration w) - bias``. It is never below twice one over the number of resamples.

    Args:
        pairs: The rows' values.
        drawn: The differences over resampled rows.
    """
    whole, count = float(pairs.difference(slice(None))), len(pairs.base_N)
    if count < 2 or np.ptp(drawn) <= 1e-12 * max(1.0, abs(whole)):
        # Every row says the same: what is left is how few rows it may be.
        return 1.0 if whole == 0 else 2.0 ** (1 - count)
    bias, acceleration = place(drawn, whole), skew_of_jackknife(pairs)
    away = place(drawn, 0.0) - bias
    # Beyond the pole of the formula no level's end reaches zero.
    reach = away / max(1 + acceleration * away, 1e-9) - bias
    from scipy.special import stdtr

    return max(2 * float(stdtr(count - 1, -abs(reach) / math.sqrt(count / (count - 1)))), 2 / len(drawn))


def swap_test(pairs: Pairs, seed: int, resamples: int) -> float:
    """The share of random swaps of the two models, row by row, that make a difference as large as the one found.

    If neither model is better, their names may as well be swapped on any row; so the test keeps its level for every
    figure, however few the rows (Good 2005, "Permutation, Parametric, and Bootstrap Tests of Hypotheses"; +1 for the
    swap that is there).
    """
    base, tuned = pairs.tables or (pairs.base_N[:, None], pairs.tuned_N[:, None])
    weights_N1 = (pairs.weights_N / pairs.weights_N.sum())[:, None]
    means, change = [(side * weights_N1).sum(axis=0) for side in (base, tuned)], (tuned - base) * weights_N1
    generator, far, whole = np.random.default_rng(seed), 0, abs(float(pairs.difference(slice(None))))
    block = max(1, BLOCK // len(base))
    for size in (min(block, resamples - start) for start in range(0, resamples, block)):
        moved = generator.integers(0, 2, (size, len(base))).astype(np.float64) @ change
        sides = (means[0] + moved, means[1] - moved)
        first, last = (pairs.metric.finish(side if pairs.tables else side[:, 0]) for side in sides)
        # Rounding must not make an equal swap smaller.
        far += int((np.abs(last - first) >= whole - 1e-12 * max(1.0, whole)).sum())
    return (far + 1) / (resamples + 1)


def is_share(pairs: Pairs, base: float, tuned: float) -> bool:
    """Whether the figure is the plain share of rows that are right."""
    means = (float(pairs.base_N.mean()), float(pairs.tuned_N.mean()))
    return (
        pairs.metric.binary
        and math.isclose(means[0], base, abs_tol=1e-9)
        and math.isclose(means[1], tuned, abs_tol=1e-9)
    )


def place(drawn: Floats, value: float) -> float:
    """Where a value stands among the resamples, as a normal quantile; equal ones count half.

    Beyond all of them the normal curve of their mean and spread goes on: their number alone would say of a large
    difference no more than that it is not small.
    """
    below = (float((drawn < value).mean()) + float((drawn <= value).mean())) / 2
    if 0 < below < 1:
        return NORMAL.inv_cdf(below)
    last = NORMAL.inv_cdf(1 - 1 / len(drawn))
    beyond = abs(value - float(drawn.mean())) / float(drawn.std())
    return max(last, beyond) * (1 if below else -1)


def widened(share: float, count: int) -> float:
    """Student's quantile for ``count`` rows, times ``sqrt(N / (N - 1))``."""
    from scipy.special import stdtrit

    return float(stdtrit(count - 1, share)) * math.sqrt(count / (count - 1)) if count > 1 else math.inf


def skew_of_jackknife(pairs: Pairs) -> float:
    """The acceleration of the interval: a sixth of the skewness of the differences with one row left out each time."""
    total = pairs.weights_N.sum() - pairs.weights_N
    if not total.all():
        return 0.0
    without_N = pairs.without_one()
    away_N = without_N.mean() - without_N
    spread = float((away_N**2).sum())
    return float((away_N**3).sum()) / (6 * spread**1.5) if spread > 0 else 0.0


def verdict(gain: float, p: float, alpha: float, least: float = 0.0) -> Verdict:
    """What a gain says: yes above zero, no below it, unclear where chance could have made it or nobody notices it."""
    if p >= alpha or abs(gain) < least or gain == 0:
        return "unclear"
    return "yes" if gain > 0 else "no"


def negligible(metric: Metric | Figure, base: float) -> float:
    """What nobody notices: :data:`NEGLIGIBLE` of the metric's range, or of the base's figure where it has no end."""
    from sevenfold.evaluate.metrics import Metric

    high = metric.high - metric.low if isinstance(metric, Metric) else abs(metric.best)
    return NEGLIGIBLE * (high if math.isfinite(high) else abs(base))


def rows_needed(rows: int, visible: float, found: float) -> int | None:
    """How many rows would show what was found: what is visible falls with the square root of the rows."""
    return math.ceil(rows * (visible / found) ** 2) if found > 0 and visible > found else None


def effect_size(gains_N: Floats) -> float:
    """The mean over the standard deviation of the rows' gains; 0 where they do not vary."""
    spread = float(gains_N.std(ddof=1)) if len(gains_N) > 1 else 0.0
    return float(gains_N.mean()) / spread if spread > 0 else 0.0
