"""How alike groups of rows are served: the worst and the best group, the gap between them, and how sure it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import BaseModel, Field

from sevenfold.evaluate.groups import part
from sevenfold.evaluate.paired import BLOCK, Pairs

if TYPE_CHECKING:
    from sevenfold.evaluate.metrics import Floats

ENOUGH_ROWS = 10
"""Rows that a group needs to be judged: with fewer, one row moves a share by more than a tenth."""
SHUFFLES = 2000
"""Shufflings behind the chance of a gap."""


class Apart(BaseModel):
    """One model's figures of the groups, in the metric's unit."""

    worst: str
    best: str
    figures: dict[str, float]
    """Group to its figure."""
    gap: float
    """The best group's figure less the worst's, as a size."""
    interval: tuple[float, float]
    """Of the gap. The largest of several differences is larger in a sample than in truth; that is taken off."""
    chance: float
    """How often a gap as large comes about when rows are shuffled between the groups."""


class Gap(BaseModel):
    """One metric over groups, base and tuned."""

    metric: str
    unit: str
    direction: Literal["higher", "lower"]
    base: Apart
    tuned: Apart
    change: float
    """The tuned model's gap less the base's."""
    change_interval: tuple[float, float]
    word: Literal["widened", "narrowed", "unclear"]
    """What tuning did to the gap, by the interval."""
    clear: bool
    """Whether the tuned model's gap is more than chance, at the confidence of the intervals."""
    rows: dict[str, int]
    """Rows of each group that is judged."""
    small: dict[str, int] = Field(default_factory=dict)
    """Groups that have too few rows to judge, with their rows."""

    def said(self) -> str:
        """The tuned model's gap in a sentence."""
        one = self.tuned
        low, high = one.interval
        opening = f"{self.metric}: {one.worst} {one.figures[one.worst]:.3g}, {one.best} {one.figures[one.best]:.3g}"
        sure = "more than chance" if self.clear else "no more than chance may give"
        text = f"{opening}, a gap of {one.gap:.3g} ({low:.3g} to {high:.3g}), {sure}; the base's is {self.base.gap:.3g}"
        few = ", ".join(f"{name} ({rows})" for name, rows in self.small.items())
        return text + (f"; too few rows to judge: {few}" if few else "")


def gaps(
    groups: Sequence[str | None], pairs: Mapping[str, Pairs], seed: int, resamples: int, confidence: float
) -> dict[str, Gap]:
    """Every metric's gap between groups; none where fewer than two groups have rows enough.

    Args:
        groups: Each row's group, N of them; None: of no group.
        pairs: Each metric's values of these rows.
        seed: The seed of the resampling.
        resamples: How often rows are drawn anew, within their groups.
        confidence: The share of such intervals that hold the true gap.
    """
    names = sorted({name for name in groups if name is not None})
    members = {name: np.array([one == name for one in groups]) for name in names}
    judged = {name: rows for name, rows in members.items() if rows.sum() >= ENOUGH_ROWS}
    small = {name: int(rows.sum()) for name, rows in members.items() if name not in judged}
    if len(judged) < 2:
        return {}
    return {metric: gap(metric, pair, judged, small, seed, resamples, confidence) for metric, pair in pairs.items()}


def gap(
    name: str,
    pairs: Pairs,
    members: Mapping[str, np.ndarray],
    small: dict[str, int],
    seed: int,
    resamples: int,
    confidence: float,
) -> Gap:
    """One metric's gap.

    Args:
        name: The metric's name.
        pairs: Its values of all rows.
        members: Group to which rows are its own.
        small: Groups that are not judged.
        seed: As of :func:`gaps`.
        resamples: As of :func:`gaps`.
        confidence: As of :func:`gaps`.
    """
    parts = {group: part(pairs, rows) for group, rows in members.items()}
    found = np.array([one.figures(slice(None)) for one in parts.values()])  # groups x (base, tuned)
    generator = np.random.default_rng(seed)
    drawn = np.array([redrawn(one, generator, resamples) for one in parts.values()])  # groups x 2 x resamples
    chance = chances(pairs, members, found, generator)
    spread, spread_drawn = np.ptp(found, axis=0), np.ptp(drawn, axis=0)
    sides = [
        apart(pairs, list(members), found[:, side], spread_drawn[side], chance[side], confidence) for side in (0, 1)
    ]
    change = float(spread[1] - spread[0])
    low, high = turned(change, spread_drawn[1] - spread_drawn[0], confidence)
    return Gap(
        metric=name,
        unit=pairs.metric.unit,
        direction=pairs.metric.better,
        base=sides[0],
        tuned=sides[1],
        change=change,
        change_interval=(low, high),
        word="widened" if low > 0 else "narrowed" if high < 0 else "unclear",
        clear=sides[1].chance < 1 - confidence,
        rows={group: int(rows.sum()) for group, rows in members.items()},
        small=small,
    )


def apart(pairs: Pairs, names: list[str], figures: Floats, drawn: Floats, chance: float, confidence: float) -> Apart:
    """One model's groups."""
    order = np.argsort(figures if pairs.metric.better == "higher" else -figures)
    size = float(np.ptp(figures))
    low, high = turned(size, drawn, confidence)
    return Apart(
        worst=names[order[0]],
        best=names[order[-1]],
        figures={name: float(figure) for name, figure in zip(names, figures, strict=True)},
        gap=size,
        interval=(max(0.0, low), max(0.0, high)),
        chance=chance,
    )


def turned(whole: float, drawn: Floats, confidence: float) -> tuple[float, float]:
    """The basic bootstrap interval (Davison and Hinkley 1997, 5.2), the drawn figures turned round the found one.

    Resampling overstates the largest difference once more, by about as much as the sample does; turning takes it off.
    """
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return 2 * whole - float(high), 2 * whole - float(low)


def redrawn(pairs: Pairs, generator: np.random.Generator, resamples: int) -> Floats:
    """Both models' figures over rows drawn with replacement, ``2 x resamples``."""
    count = len(pairs.base_N)
    found = [pairs.figures(generator.integers(0, count, (size, count))) for size in blocks(resamples, count)]
    return np.concatenate(found, axis=1)


def chances(
    pairs: Pairs, members: Mapping[str, np.ndarray], found: Floats, generator: np.random.Generator
) -> tuple[float, float]:
    """For each model how often groups of these sizes, drawn without regard to their members, lie as far apart."""
    rows = np.flatnonzero(np.any(list(members.values()), axis=0))
    ends = np.cumsum([int(own.sum()) for own in members.values()])
    reached = np.zeros(2)
    for size in blocks(SHUFFLES, len(rows)):
        shuffled = generator.permuted(np.tile(rows, (size, 1)), axis=1)
        figures = [pairs.figures(own) for own in np.split(shuffled, ends[:-1], axis=1)]  # groups x 2 x size
        # Rounding must not tell a shuffling from what was found.
        reached += (np.ptp(np.array(figures), axis=0) >= np.ptp(found, axis=0)[:, None] - 1e-12).sum(axis=1)
    base, tuned = (1 + reached) / (1 + SHUFFLES)
    return float(base), float(tuned)


def blocks(total: int, count: int) -> Iterator[int]:
    """Sizes that make a total, each of them few enough draws of so many rows to hold at once."""
    size = max(1, BLOCK // count)
    yield from (min(size, total - start) for start in range(0, total, size))
