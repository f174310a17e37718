"""Labels from vectors: a logistic regression whose probabilities are of rows that it did not see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sevenfold.errors import DataError, MachineError

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

FOLDS = 5
INVERSE_PENALTY = 10.0
CONFIDENCE = 0.95
"""How sure the lower bound of a share is, one-sided."""


def classifier() -> Any:
    """The untrained classifier.

    Raises:
        MachineError: scikit-learn is not installed.
    """
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError:
        raise MachineError(
            "labels from vectors need the package scikit-learn", next_step="pip install 'sevenfold[prepare]'"
        ) from None
    return LogisticRegression(C=INVERSE_PENALTY, max_iter=300)


def indexed(labels: Sequence[str], where: str) -> tuple[list[str], NDArray[numpy.int64]]:
    """The labels, sorted, and each row's number among them.

    Raises:
        DataError: There are fewer than two labels, or one has fewer rows than there are folds.
    """
    import numpy

    counts = Counter(labels)
    rare = {label: count for label, count in counts.items() if count < FOLDS}
    if len(counts) < 2 or rare:
        named = ", ".join(f"{label!r}: {count}" for label, count in list((rare or counts).items())[:5])
        raise DataError(
            f"too few rows of a label ({named})",
            where=where,
            expected=f"two labels or more, each with {FOLDS} rows or more",
            next_step="merge or leave out rare labels, or name the column that holds the label",
        )
    names = sorted(counts)
    number = {name: index for index, name in enumerate(names)}
    return names, numpy.array([number[label] for label in labels])


def out_of_sample(vectors_ND: NDArray[Any], labels_N: NDArray[Any], seed: int) -> NDArray[numpy.float64]:
    """Each row's probabilities from a classifier of the other folds, ``N x K``."""
    import numpy
    from threadpoolctl import threadpool_limits

    fresh = classifier()
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed % 2**32)
    # One thread, so that the same rows give the same figures on every machine.
    with threadpool_limits(1):
        found = cross_val_predict(fresh, vectors_ND, labels_N, cv=folds, method="predict_proba")
    return numpy.asarray(found, dtype=float)


def temperature(probabilities_NK: NDArray[Any], labels_N: NDArray[Any]) -> float:
    """What the logarithms are divided by so that the labels are most likely (Guo et al. 2017, arXiv 1706.04599)."""
    import numpy
    from scipy.optimize import minimize_scalar

    rows = numpy.arange(len(labels_N))

    def loss(logarithm: float) -> float:
        return float(-numpy.log(heated(probabilities_NK, numpy.exp(logarithm))[rows, labels_N]).mean())

    return float(numpy.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x))


def heated(probabilities_NK: NDArray[Any], degree: float) -> NDArray[numpy.float64]:
    """The probabilities at a temperature."""
    import numpy

    logs = numpy.log(numpy.clip(probabilities_NK, 1e-12, 1)) / degree
    powers = numpy.exp(logs - logs.max(axis=1, keepdims=True))
    result: NDArray[numpy.float64] = powers / powers.sum(axis=1, keepdims=True)
    return result


@dataclass(frozen=True)
class Border:
    """The probability from which labels are taken.

    Args:
        probability: The border; above 1 where none keeps the promise.
        precision: The share of right labels above it, on rows that were not trained on.
        lower: The lower bound of that share, 95 % sure (Clopper & Pearson 1934).
        rows: Rows above it.
    """

    probability: float
    precision: float
    lower: float
    rows: int


NONE = Border(2.0, 0.0, 0.0, 0)
FEWEST = 10
"""Rows above a border, at least: a share of fewer says nothing."""


def border(sure_N: NDArray[Any], right_N: NDArray[Any], promised: float) -> Border:
    """The lowest border above which the share of right labels is as promised; :data:`NONE` where there is none.

    Args:
        sure_N: The probability of each row's most likely label.
        right_N: Whether it is right.
        promised: The precision that is asked for.
    """
    import numpy
    from scipy.stats import beta

    order = numpy.argsort(-sure_N, kind="stable")
    hits = numpy.cumsum(right_N[order])
    counts = numpy.arange(1, len(order) + 1)
    # A border cannot part rows of one probability.
    ends = numpy.append(numpy.diff(sure_N[order]) < 0, True)
    good = ends & (hits / counts >= promised) & (counts >= FEWEST)
    if not good.any():
        return NONE
    last = int(numpy.flatnonzero(good)[-1])
    count, hit = int(counts[last]), int(hits[last])
    lower = float(beta.ppf(1 - CONFIDENCE, hit, count - hit + 1))
    return Border(float(sure_N[order][last]), hit / count, lower, count)
