"""A cross-validation as one object: what ``folds.json`` holds and the page shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from statistics import fmean
from typing import Any

from sevenfold.evaluate.gaps import gaps
from sevenfold.evaluate.metrics import Metric, metric_name
from sevenfold.evaluate.paired import compare
from sevenfold.evaluate.report import overall
from sevenfold.folds.pooled import SIDES, over_folds, pairs_of, spread, twice
from sevenfold.folds.way import Way
from sevenfold.recipe import Recipe

Told = dict[str, Any]
KEPT = (
    "name",
    "train",
    "rows",
    "available",
    "left_out",
    "steps",
    "best_step",
    "seconds",
    "metrics",
    "forgetting",
    "curve",
    "validation_loss",
)
"""What is kept of each round."""


def whole(
    name: str,
    folder: Path,
    way: Way,
    recipe: Recipe,
    folds: Sequence[Told],
    rows: Mapping[str, Sequence[Told]],
    failures: Mapping[str, Told],
) -> Told:
    """Everything that is known of a cross-validation.

    Args:
        name: The recipe's name.
        folder: Where it lies.
        way: How the rows were cut.
        recipe: Of any round: says the metrics, the seed and the confidence.
        folds: The rounds that are done, of :func:`sevenfold.compare.figures.of_run`.
        rows: Round to the rows that it was evaluated on.
        failures: Round to why it has no figures.
    """
    every = list(chain.from_iterable(rows.values()))
    metrics = {metric_name(metric): pooled(metric, every, folds, recipe) for metric in recipe.evaluate.metrics}
    lost = Counter[str]()
    for fold in folds:
        lost.update(fold["left_out"])
    made: Told = {
        "name": name,
        "folder": str(folder),
        "way": {"kind": way.kind, "count": len(folds) + len(failures), "column": way.column},
        "rows": len(every),
        "available": sum(fold["available"] for fold in folds),
        "left_out": dict(lost),
        "twice": twice(every),
        "better": overall({key: one["pooled"] for key, one in metrics.items()}),
        "metrics": metrics,
        "gaps": group_gaps(every, recipe),
        "forgetting": forgotten(folds),
        "folds": [{key: fold[key] for key in KEPT} for fold in folds],
        "failures": dict(failures),
    }
    made["summary"] = summary(made)
    for one in metrics.values():
        one["pooled"] = one["pooled"].model_dump()
    return made


def pooled(metric: Metric, rows: Sequence[Told], folds: Sequence[Told], recipe: Recipe) -> Told:
    """One metric: over all rows at once, over the folds, and in how many of them tuning was ahead."""
    section, name = recipe.evaluate, metric_name(metric)
    found = compare(name, pairs_of(metric, rows), recipe.setup.seed, section.resamples, section.confidence)
    sides = {side: [fold["metrics"][name][side] for fold in folds] for side in SIDES}
    differences = [fold["metrics"][name]["difference"] for fold in folds]
    sign = 1 if metric.better == "higher" else -1
    return {
        "pooled": found,
        **{side: spread(values) for side, values in sides.items()},
        "difference": spread(differences),
        "over_folds": over_folds(
            differences,
            fmean(fold["rows"] for fold in folds),
            fmean(fold["train"] for fold in folds),
            section.confidence,
        ),
        "ahead": sum(sign * one > 0 for one in differences),
        "behind": sum(sign * one < 0 for one in differences),
    }


def group_gaps(rows: Sequence[Told], recipe: Recipe) -> Told:
    """The gaps between groups over all rows, where rows have groups."""
    section = recipe.evaluate
    groups = [row.get("group") for row in rows]
    pairs = {metric_name(metric): pairs_of(metric, rows) for metric in section.metrics}
    found = gaps(groups, pairs, recipe.setup.seed, section.resamples, section.confidence)
    return {name: gap.model_dump() for name, gap in found.items()}


def forgotten(folds: Sequence[Told]) -> Told | None:
    """What general text lost, over the folds; None where it was not asked for."""
    lost = [fold["forgetting"]["comparison"]["difference"] for fold in folds if fold["forgetting"]]
    return spread(lost) if lost else None


def summary(made: Told) -> str:
    """The verdict as a sentence."""
    word = {
        "yes": "Tuning makes it better",
        "no": "Tuning makes it worse",
        "mixed": "Tuning makes some of it better and some worse",
        "unclear": "No clear difference",
    }[made["better"]]
    count = len(made["folds"])
    parts = [
        f"{name} {one['pooled'].base:.3g} to {one['pooled'].tuned:.3g} "
        f"({one['pooled'].interval[0]:+.3g} to {one['pooled'].interval[1]:+.3g}; ahead in {one['ahead']} of {count})"
        for name, one in made["metrics"].items()
    ]
    failed = f" {len(made['failures'])} folds could not be trained." if made["failures"] else ""
    return f"{word}, on {made['rows']} rows, each scored once by a model that never saw it: {'; '.join(parts)}.{failed}"
