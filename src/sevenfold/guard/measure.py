"""How good a guard is on rows whose label is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sevenfold.errors import DataError
from sevenfold.guard import Judgement

if TYPE_CHECKING:
    from numpy.typing import NDArray

RESAMPLES = 1000
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its interval.

    Args:
        value: On the rows; None where no row says anything about it.
        low: The lower end, 95 % sure.
        high: The upper end.
        rows: Rows that it rests on.
    """

    value: float | None
    low: float | None
    high: float | None
    rows: int

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return {"value": self.value, "interval": [self.low, self.high], "rows": self.rows}


def share(hits: int, rows: int) -> Figure:
    """A share with Wilson's interval (Wilson 1927), which stays within 0 and 1 for few rows."""
    from scipy.stats import binomtest

    if not rows:
        return Figure(None, None, None, 0)
    interval = binomtest(hits, rows).proportion_ci(LEVEL, method="wilson")
    return Figure(hits / rows, float(interval.low), float(interval.high), rows)


def auc(unsafe_N: NDArray[Any], scores_N: NDArray[Any]) -> float | None:
    """The chance that an unsafe text has a higher score than a safe one; ties count half (Mann & Whitney 1947)."""
    from scipy.stats import rankdata

    positives = int(unsafe_N.sum())
    negatives = len(unsafe_N) - positives
    if not positives or not negatives:
        return None
    ranks = rankdata(scores_N)
    return float((ranks[unsafe_N].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def f1(unsafe_N: NDArray[Any], said_N: NDArray[Any]) -> float | None:
    """The harmonic mean of precision and recall; None where nothing is unsafe and nothing was called so."""
    right = int((unsafe_N & said_N).sum())
    total = int(unsafe_N.sum() + said_N.sum())
    return 2 * right / total if total else None


def resampled(measure: Any, unsafe_N: NDArray[Any], told_N: NDArray[Any], seed: int) -> Figure:
    """A measure with the percentile interval of the bootstrap over rows (Efron 1979); undefined draws are left out."""
    import numpy

    value = measure(unsafe_N, told_N)
    if value is None:
        return Figure(None, None, None, len(unsafe_N))
    dice = numpy.random.default_rng(seed)
    draws = (dice.integers(0, len(unsafe_N), len(unsafe_N)) for _ in range(RESAMPLES))
    found = [one for draw in draws if (one := measure(unsafe_N[draw], told_N[draw])) is not None]
    low, high = numpy.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Figure(value, float(low), float(high), len(unsafe_N))


def measured(
    judgements: Sequence[Judgement],
    labels: Sequence[str],
    safe: str = "safe",
    groups: Sequence[str] = (),
    seed: int = 17,
) -> dict[str, Any]:
    """Precision, recall, F1, accuracy, false alarms and AUC, recall by category, and the same by group.

    What a guard could not judge counts as what it then does; how many these are is told.

    Args:
        judgements: What the guard says.
        labels: What is right: ``safe``, or a category.
        safe: The label of what may pass.
        groups: A group of each row (a language), or none.
        seed: Of the bootstrap.

    Raises:
        DataError: There are no rows.
    """
    import numpy

    if not labels:
        raise DataError("there are no rows to measure a guard on", expected="rows with a text and a label")
    unsafe = numpy.array([label != safe for label in labels])
    said = numpy.array([not one.safe for one in judgements])
    scores = numpy.array([one.score for one in judgements])
    hits = int((unsafe & said).sum())
    found: dict[str, Any] = {
        "rows": len(labels),
        "unsafe": int(unsafe.sum()),
        "could_not_judge": sum(one.failed for one in judgements),
        "accuracy": share(int((unsafe == said).sum()), len(labels)).as_json(),
        "precision": share(hits, int(said.sum())).as_json(),
        "recall": share(hits, int(unsafe.sum())).as_json(),
        "false_alarms": share(int((~unsafe & said).sum()), int((~unsafe).sum())).as_json(),
        "f1": resampled(f1, unsafe, said, seed).as_json(),
        "auc": resampled(auc, unsafe, scores, seed).as_json(),
        "categories": by_category(judgements, labels, safe),
    }
    if groups:
        found["groups"] = {
            name: measured(
                [one for one, group in zip(judgements, groups, strict=True) if group == name],
                [one for one, group in zip(labels, groups, strict=True) if group == name],
                safe,
                seed=seed,
            )
            for name in sorted(set(groups))
        }
    return found


def by_category(judgements: Sequence[Judgement], labels: Sequence[str], safe: str) -> dict[str, Any]:
    """Of each category: how many rows were called unsafe, and how many by this name before all others."""
    found: dict[str, Any] = {}
    for category in sorted(set(labels) - {safe}):
        rows = [one for one, label in zip(judgements, labels, strict=True) if label == category]
        named = sum(bool(one.categories) and one.categories[0].name == category for one in rows)
        found[category] = {
            "recall": share(sum(not one.safe for one in rows), len(rows)).as_json(),
            "named": share(named, len(rows)).as_json(),
        }
    return found
