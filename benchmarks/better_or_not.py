"""Do the statistics of ``evaluate`` keep their word? Simulated rows whose truth is known, figures as Markdown tables.

    python benchmarks/better_or_not.py                  prints the tables; some minutes on one core
    python benchmarks/better_or_not.py --trials 100     a rough look

Three questions. Coverage: how often the interval of 95 % holds the true difference, beside that of plain BCa. False
alarms: how often a verdict is given where neither model is better, of one metric and of ten, before and after the
correction. Power: how often a difference of the size that was called detectable is found.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sevenfold.evaluate import paired
from sevenfold.evaluate.many import corrected
from sevenfold.evaluate.metrics.exact_match import ExactMatch
from sevenfold.evaluate.metrics.loss import Loss
from sevenfold.evaluate.metrics.macro_f1 import MacroF1
from sevenfold.evaluate.metrics.rouge_l import RougeL
from sevenfold.evaluate.paired import Pairs, compare
from sevenfold.evaluate.power import detectable_share

Draw = np.random.Generator
RESAMPLES = 1000
SIZES = (20, 64, 200)


@dataclass(frozen=True)
class Shape:
    """Rows of a kind.

    Args:
        name: What they are like.
        make: Pairs of so many rows, moved by a gain.
        true: The true difference at a gain.
        gain: A gain at which coverage is looked at.
    """

    name: str
    make: Callable[[Draw, int, float], Pairs]
    true: Callable[[float], float]
    gain: float


def scores(draw: Draw, rows: int, gain: float) -> Pairs:
    """Scores whose differences are normal."""
    base = draw.beta(2, 5, rows)
    return Pairs(RougeL(), base, base + gain + draw.normal(0, 0.1, rows), np.ones(rows))


def skewed(draw: Draw, rows: int, gain: float) -> Pairs:
    """Scores whose differences are lognormal less their mean: most rows lose a little, a few win much."""
    base = draw.beta(2, 5, rows)
    away = 0.1 * (draw.lognormal(0, 0.8, rows) - np.exp(0.32))
    return Pairs(RougeL(), base, base + gain + away, np.ones(rows))


def losses(draw: Draw, rows: int, gain: float) -> Pairs:
    """Losses weighted by the tokens of each row."""
    tokens = draw.integers(3, 60, rows).astype(float)
    base = draw.gamma(4, 0.5, rows)
    return Pairs(Loss(), base, base - gain + draw.normal(0, 1, rows) / np.sqrt(tokens), tokens)


def binary(share: float) -> Callable[[Draw, int, float], Pairs]:
    """Rows right or wrong: the base right on a share, a fifth of the rows decided anew by the tuned model."""

    def make(draw: Draw, rows: int, gain: float) -> Pairs:
        base = draw.random(rows) < share
        anew = draw.random(rows) < 0.2
        tuned = np.where(anew, draw.random(rows) < share + 5 * gain, base)
        return Pairs(ExactMatch(), base.astype(float), tuned.astype(float), np.ones(rows))

    return make


LABELS = np.array([0.6, 0.3, 0.1])


def tables(draw: Draw, rows: int, gain: float) -> Pairs:
    """Three labels, one rare; each model is right on 70 % of the rows and says any label else; by macro-F1."""
    true = draw.choice(3, rows, p=LABELS)
    sides = []
    for right in (0.7, 0.7 + gain):
        said = np.where(draw.random(rows) < right, true, draw.choice(3, rows))
        sides.append(MacroF1().table([f"l{one}" for one in said], [f"l{one}" for one in true]))
    return Pairs(MacroF1(), sides[0][:, 0], sides[1][:, 0], np.ones(rows), (sides[0], sides[1]))


def true_macro_f1(gain: float) -> float:
    """The difference of macro-F1 on endless rows."""
    found = []
    for right in (0.7, 0.7 + gain):
        said = LABELS * right + (1 - right) / 3
        both = LABELS * (right + (1 - right) / 3)
        found.append(float((2 * both / (said + LABELS)).mean()))
    return found[1] - found[0]


SHAPES = (
    Shape("scores, normal", scores, lambda gain: gain, 0.03),
    Shape("scores, skewed", skewed, lambda gain: gain, 0.03),
    Shape("loss, weighted by tokens", losses, lambda gain: -gain, 0.05),
    Shape("right or wrong, 0.5", binary(0.5), lambda gain: gain, 0.03),
    Shape("right or wrong, 0.1", binary(0.1), lambda gain: gain, 0.02),
    Shape("macro-F1, three labels", tables, true_macro_f1, 0.1),
)


def coverage(shape: Shape, rows: int, trials: int) -> tuple[float, float]:
    """Shares of intervals that hold the truth: plain BCa, and ours."""
    truth, held = shape.true(shape.gain), np.zeros(2)
    for trial in range(trials):
        pairs = shape.make(np.random.default_rng([rows, trial]), rows, shape.gain)
        one = compare("x", pairs, trial, RESAMPLES)
        plain = plain_bca(pairs, trial)
        held += [plain[0] <= truth <= plain[1], one.interval[0] <= truth <= one.interval[1]]
    return tuple(held / trials)  # type: ignore[return-value]


def plain_bca(pairs: Pairs, seed: int) -> tuple[float, float]:
    """The interval without the widening for few rows."""
    kept, paired.widened = paired.widened, lambda share, count: paired.NORMAL.inv_cdf(share)
    try:
        return paired.interval(pairs, paired.resampled(pairs, seed, RESAMPLES), 0.95)
    finally:
        paired.widened = kept


def alarms(shape: Shape, rows: int, trials: int) -> float:
    """How often one metric is called better or worse where neither is."""
    found = (
        compare("x", shape.make(np.random.default_rng([7, rows, t]), rows, 0.0), t, RESAMPLES) for t in range(trials)
    )
    return sum(one.better != "unclear" for one in found) / trials


def alarms_of_ten(rows: int, trials: int) -> tuple[float, float]:
    """How often any of ten metrics is called so, before and after the correction; the metrics share half of their rows'
    variance, as metrics of the same answers do."""
    before = after = 0
    for trial in range(trials):
        draw = np.random.default_rng([8, rows, trial])
        shared, base = draw.normal(0, 0.07, rows), draw.beta(2, 5, rows)
        ten = {
            str(number): compare(
                str(number),
                Pairs(RougeL(), base, base + shared + draw.normal(0, 0.07, rows), np.ones(rows)),
                trial,
                RESAMPLES,
            )
            for number in range(10)
        }
        before += any(one.better != "unclear" for one in ten.values())
        after += any(one.better != "unclear" for one in corrected(ten).values())
    return before / trials, after / trials


def power(rows: int, trials: int) -> tuple[float, float]:
    """How often the difference that was called detectable is found: of normal scores, and of rows right or wrong."""
    stated = np.mean(
        [compare("x", scores(np.random.default_rng([9, rows, t]), rows, 0), t, RESAMPLES).detectable for t in range(20)]
    )
    share = detectable_share(rows, 0.2, 0.05)
    found = np.zeros(2)
    for trial in range(trials):
        draw = np.random.default_rng([10, rows, trial])
        decided = draw.random(rows) < max(0.2, share)
        wins = draw.random(rows) < (1 + share / max(0.2, share)) / 2
        base = draw.random(rows) < 0.5
        base[decided], tuned = ~wins[decided], base.copy()
        tuned[decided] = wins[decided]
        binary_pairs = Pairs(ExactMatch(), base.astype(float), tuned.astype(float), np.ones(rows))
        found += [
            compare("x", scores(draw, rows, float(stated)), trial, RESAMPLES).better == "yes",
            compare("x", binary_pairs, trial, RESAMPLES).better == "yes",
        ]
    return tuple(found / trials)  # type: ignore[return-value]


def report(trials: int) -> str:
    """The three tables."""
    lines = [f"{trials:,} trials a cell, {RESAMPLES:,} resamples.", ""]
    lines += ["| coverage of the 95 % interval | rows | plain BCa | ours |", "|---|---|---|---|"]
    for shape in SHAPES:
        for rows in SIZES:
            plain, ours = coverage(shape, rows, trials)
            lines.append(f"| {shape.name} | {rows} | {plain:.1%} | {ours:.1%} |")
            print(lines[-1], file=sys.stderr, flush=True)
    lines += [
        "",
        f"| false alarms at 5 % | {' | '.join(f'{rows} rows' for rows in SIZES)} |",
        "|---|" + "---|" * len(SIZES),
    ]
    for shape in SHAPES:
        lines.append(
            f"| one metric: {shape.name} | {' | '.join(f'{alarms(shape, rows, trials):.1%}' for rows in SIZES)} |"
        )
        print(lines[-1], file=sys.stderr, flush=True)
    ten = [alarms_of_ten(rows, trials) for rows in SIZES]
    lines.append(f"| any of ten, not corrected | {' | '.join(f'{one[0]:.1%}' for one in ten)} |")
    lines.append(f"| any of ten, corrected | {' | '.join(f'{one[1]:.1%}' for one in ten)} |")
    powers = [power(rows, trials) for rows in SIZES]
    lines += [
        "",
        f"| found, where 80 % are promised | {' | '.join(f'{rows} rows' for rows in SIZES)} |",
        "|---|" + "---|" * len(SIZES),
    ]
    lines.append(f"| scores, normal | {' | '.join(f'{one[0]:.1%}' for one in powers)} |")
    lines.append(f"| right or wrong, a fifth decided | {' | '.join(f'{one[1]:.1%}' for one in powers)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=1000, help="simulated evaluations of each cell")
    print(report(parser.parse_args().trials))
