"""Which labels were said for which, and how far the probabilities that were said can be believed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field

from sevenfold.evaluate.metrics._said import one_label
from sevenfold.evaluate.metrics.accuracy import Accuracy
from sevenfold.evaluate.metrics.macro_f1 import MacroF1

if TYPE_CHECKING:
    import numpy as np

    from sevenfold.evaluate.held_out import Question
    from sevenfold.evaluate.measure import Measured
    from sevenfold.evaluate.section import EvaluateSection

BINS = 10
"""Bins of the calibration's probabilities."""
DRAWS = 1000
"""Redrawings behind the interval of the calibration error."""
SHOWN = 30
"""Labels that have a line of their own; the rest are one."""
OTHER = "(other)"


class Spread(BaseModel):
    """One model's labels.

    ``counts[t][s]`` is how many rows of the label ``labels[t]`` were said to have ``labels[s]``; the last column is of
    what names no label, and where there are very many labels the rarest are one.
    """

    labels: list[str]
    counts: list[list[int]]
    commonest: float
    """The accuracy of who always says the commonest label."""
    calibration_error: float | None = None
    """How far the likeliest label's probability is from the share that is right, averaged over ten bins of rows (ECE:
    Guo et al. 2017, arXiv 1706.04599); None where no probabilities were said."""
    calibration_interval: tuple[float, float] | None = None
    """The 95 % interval of that, over rows drawn anew (basic bootstrap: bins of few rows overstate it, and so do their
    redrawings once more)."""
    calibration_chance: float | None = None
    """What it is on as many rows, with these probabilities, if each is exactly right: with probability p the label is
    right in a share p of such rows. Nineteen of twenty such models stay below this (Broecker and Smith 2007)."""
    auc: float | None = None
    """The mean over labels of the chance that a row of the label has a higher probability for it than another row."""
    bins: list[tuple[float, float, int]] = Field(default_factory=list)
    """For each bin that has rows: mean probability, share that is right, rows."""


def spread_of(section: EvaluateSection, questions: list[Question], measured: dict[str, Measured]) -> dict[str, Spread]:
    """Every model's labels; none where no metric is of one label a row."""
    labelled = [metric for metric in section.metrics if isinstance(metric, Accuracy | MacroF1)]
    if not labelled or labelled[0].separator is not None:
        return {}
    references = [question.reference.strip() for question in questions]
    return {name: spread(one.answers, references) for name, one in measured.items()}


def spread(answers: list[dict[str, Any]], references: list[str]) -> Spread:
    """One model's labels from its answers."""
    frequent = Counter(references).most_common()
    known = {label for label, _ in frequent}
    labels = sorted(label for label, _ in frequent[:SHOWN]) + [OTHER] * (len(frequent) > SHOWN)
    numbers = {label: number for number, label in enumerate(labels)}
    rest = len(labels) - 1
    counts = [[0] * (len(labels) + 1) for _ in labels]
    for answer, true in zip(answers, references, strict=True):
        said = one_label(answer["text"], known)
        counts[numbers.get(true, rest)][len(labels) if said is None else numbers.get(said, rest)] += 1
    found = Spread(labels=labels, counts=counts, commonest=frequent[0][1] / len(references))
    if all(answer.get("labels") for answer in answers):
        judge(found, [answer["labels"] for answer in answers], references)
    return found


def judge(found: Spread, probs: list[dict[str, float]], references: list[str]) -> None:
    """Fill in what the probabilities say."""
    import numpy as np

    best = [max(row, key=row.__getitem__) for row in probs]
    sure = np.array([row[label] for row, label in zip(probs, best, strict=True)])
    right = np.array([label == true for label, true in zip(best, references, strict=True)], dtype=float)
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    found.bins = [
        (float(sure[bins == one].mean()), float(right[bins == one].mean()), int((bins == one).sum()))
        for one in sorted(set(bins.tolist()))
    ]
    whole = error(sure, right)
    draw = np.random.default_rng(0)
    rows = [draw.integers(0, len(sure), len(sure)) for _ in range(DRAWS)]
    low, high = np.quantile([error(sure[some], right[some]) for some in rows], [0.025, 0.975])
    found.calibration_error = whole
    found.calibration_interval = (max(0.0, 2 * whole - float(high)), max(0.0, 2 * whole - float(low)))
    exact = [error(sure, (draw.random(len(sure)) < sure).astype(float)) for _ in range(DRAWS)]
    found.calibration_chance = float(np.quantile(exact, 0.95))
    areas = [
        area(np.array([row.get(label, 0.0) for row in probs]), np.array([true == label for true in references]))
        for label in set(references)
        if references.count(label) < len(references)
    ]
    found.auc = sum(areas) / len(areas) if areas else None


def error(sure_N: np.ndarray, right_N: np.ndarray) -> float:
    """The mean over rows of how far their bin's probability is from its share that is right."""
    import numpy as np

    bins = np.minimum((sure_N * BINS).astype(int), BINS - 1)
    away = np.abs(np.bincount(bins, weights=sure_N - right_N, minlength=BINS))
    return float(away.sum() / len(sure_N))


def area(scores_N: np.ndarray, positive_N: np.ndarray) -> float:
    """The area under the ROC curve: the chance that a positive row scores higher than another; ties count half."""
    import numpy as np

    _, place, count = np.unique(scores_N, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(count) - (count - 1) / 2)[place]
    positives = int(positive_N.sum())
    lowest = positives * (positives + 1) / 2
    return float((ranks[positive_N].sum() - lowest) / (positives * (len(scores_N) - positives)))
