"""Variants against each other on the same held-out rows, by the bootstrap that compares a tuned model with its base.

One of several variants looks best partly by luck, and with many comparisons some interval excludes zero by chance. So
each interval is widened to hold together with all others (Bonferroni): with c the confidence that the recipe asks for
and k comparisons, each is made at ``1 - (1 - c) / k``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sevenfold.evaluate.paired import Comparison, Pairs, compare
from sevenfold.evaluate.rows import tables_of

if TYPE_CHECKING:
    from sevenfold.evaluate.metrics import Metric

Rows = list[dict[str, Any]]


def difference(name: str, first: Rows, second: Rows) -> str | None:
    """Why two variants cannot be compared by a metric; None when they can."""
    if [identity(row) for row in first] != [identity(row) for row in second]:
        return "they answered other rows"
    if any(name not in row["weights"] for row in (*first[:1], *second[:1])):
        return f"{name} was not measured for both"
    if [row["weights"][name] for row in first] != [row["weights"][name] for row in second]:
        return f"{name} counts tokens, and theirs are not the same"
    return None


def identity(row: dict[str, Any]) -> tuple[Any, ...]:
    """What tells a row."""
    return row["row"], row["origin"], row["reference"]


def against(
    name: str, metric: Metric, first: Rows, second: Rows, seed: int, resamples: int, confidence: float
) -> Comparison:
    """The second variant against the first, in the place of tuned against base.

    Args:
        name: The metric's name.
        metric: The metric.
        first: The rows of the variant that stands for the base.
        second: Those of the other one.
        seed: The seed of the resampling.
        resamples: How often rows are drawn anew.
        confidence: The share of such intervals that hold the true difference.
    """
    sides = [np.array([row["tuned"]["values"][name] for row in rows]) for rows in (first, second)]
    weights = np.array([row["weights"][name] for row in first], dtype=np.float64)
    one, other = ([row["tuned"] for row in rows] for rows in (first, second))
    tables = tables_of(metric, one, other, [row["reference"] for row in first])
    pairs = Pairs(metric, sides[0], sides[1], weights, tables)
    return compare(name, pairs, seed, resamples, confidence)


def together(confidence: float, comparisons: int) -> float:
    """The confidence of each of some comparisons at which all hold together with ``confidence``."""
    return 1 - (1 - confidence) / max(1, comparisons)
