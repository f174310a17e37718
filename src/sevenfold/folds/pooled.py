"""What the folds say together: every row's own figure by a model that never saw it, and the spread over folds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any

import numpy as np

from sevenfold.evaluate.metrics import metric_name
from sevenfold.evaluate.paired import Pairs
from sevenfold.evaluate.rows import tables_of

if TYPE_CHECKING:
    from sevenfold.evaluate.metrics import Metric

Rows = Sequence[Mapping[str, Any]]
SIDES = ("base", "tuned")


def pairs_of(metric: Metric, rows: Rows) -> Pairs:
    """A metric's values of rows as ``rows.jsonl`` holds them, of whichever folds."""
    name = metric_name(metric)
    base, tuned = (np.array([row[side]["values"][name] for row in rows], dtype=np.float64) for side in SIDES)
    weights = np.array([row["weights"][name] for row in rows], dtype=np.float64)
    said, others = ([row[side] for row in rows] for side in SIDES)
    tables = tables_of(metric, said, others, [row["reference"] for row in rows])
    return Pairs(metric, base, tuned, weights, tables)


def spread(values: Sequence[float]) -> dict[str, float]:
    """Mean, standard deviation (0 of a single one), lowest and highest of the folds' figures."""
    return {
        "mean": fmean(values),
        "deviation": stdev(values) if len(values) > 1 else 0.0,
        "lowest": min(values),
        "highest": max(values),
    }


def over_folds(
    differences: Sequence[float], tested: float, trained: float, confidence: float
) -> tuple[float, float] | None:
    """The interval of the mean difference over K folds, with the training sets' overlap paid for.

    ``mean +- t_{K-1} sqrt(1/K + tested/trained) deviation``: the folds' models learnt from mostly the same rows, so the
    plain ``1/K`` is too sure (Nadeau and Bengio 2003, "Inference for the Generalization Error"; no unbiased estimate
    of this variance exists, Bengio and Grandvalet 2004).

    Args:
        differences: Tuned less base of each fold.
        tested: Rows that a fold is tested on, the mean.
        trained: Rows that a fold's model learnt from, the mean.
        confidence: The share of such intervals that hold the truth.

    Returns:
        The interval; None with fewer than two folds.
    """
    from scipy.stats import t

    count = len(differences)
    if count < 2:
        return None
    found = spread(differences)
    reach = float(t.ppf((1 + confidence) / 2, count - 1)) * found["deviation"]
    reach *= math.sqrt(1 / count + tested / max(trained, 1.0))
    return found["mean"] - reach, found["mean"] + reach


def twice(rows: Rows) -> int:
    """Rows that were scored more than once, by their origin and what they say; 0 where every fold is of its own."""
    seen = [str((row["origin"], row["prompt"], row["reference"])) for row in rows]
    return len(seen) - len(set(seen))
