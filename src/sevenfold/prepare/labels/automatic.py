"""Labels by a classifier, where it is as often right as was promised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sevenfold.prepare.labels.classifier import (
    FOLDS,
    border,
    classifier,
    heated,
    indexed,
    out_of_sample,
    temperature,
)
from sevenfold.prepare.labels.section import Label

FEWEST = 50
"""Labelled rows below which no border can be measured."""
POOL = 5
"""Times the queue's length: the least sure rows among which diverse ones are chosen."""


@dataclass
class Automatic:
    """What came of it.

    Args:
        taken: Rows to the label and its probability.
        scores: Rows to their labels' probabilities.
        vectors: Rows to their vectors, of those that are left.
        figures: For the report.
        advice: For the report.
    """

    taken: dict[int, tuple[str, float]] = field(default_factory=dict)
    scores: dict[int, dict[str, float]] = field(default_factory=dict)
    vectors: dict[int, Any] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)
    advice: list[str] = field(default_factory=list)

    def order(self, rows: Sequence[int], count: int) -> list[int]:
        """Rows by use: of the least sure, each time the one farthest from those chosen; empty without a classifier."""
        import numpy

        unsure = sorted((row for row in rows if row in self.scores), key=lambda row: max(self.scores[row].values()))
        unsure = unsure[: POOL * count]
        if not unsure:
            return []
        points = numpy.stack([self.vectors[row] for row in unsure])
        near = numpy.full(len(unsure), -numpy.inf)
        place, chosen = 0, []
        for _ in range(min(count, len(unsure))):
            chosen.append(unsure[place])
            near = numpy.maximum(near, points @ points[place])
            near[place] = numpy.inf
            place = int(near.argmin())
        return chosen


def guess(
    texts: Sequence[str], labels: Sequence[str | None], by: Sequence[str], section: Label, seed: int
) -> Automatic:
    """Label the rows without one; each takes ``4 D + 16 K`` bytes while that is done.

    Only labels of people and of the source train it and measure it. Temperature and border come from probabilities of
    rows that the classifier did not see. The border is chosen on the rows that it is measured on, so that the lower
    bound is the figure to trust.
    """
    rows = [row for row, label in enumerate(labels) if label is None]
    known = [row for row, label in enumerate(labels) if label is not None and by[row] != "functions"]
    if section.model is None or not rows:
        return Automatic()
    counts = Counter(labels[row] for row in known)
    known = [row for row in known if counts[labels[row]] >= FOLDS]
    if len(known) < FEWEST:
        said = f"{len(known)} labelled rows are too few for a classifier; {FEWEST} are the least."
        return Automatic(figures={"model_rows": len(known)}, advice=[said])
    names, numbers = indexed([str(labels[row]) for row in known], "prepare.label.model")
    points = section.model.of([texts[row] for row in known])
    unseen = out_of_sample(points, numbers, seed)
    degree = temperature(unseen, numbers)
    calibrated = heated(unseen, degree)
    sure = border(calibrated.max(axis=1), calibrated.argmax(axis=1) == numbers, section.precision)
    others = section.model.of([texts[row] for row in rows])
    shares = heated(classifier().fit(points, numbers).predict_proba(others), degree)
    found = Automatic(
        figures={
            "model_rows": len(known),
            "model_temperature": round(degree, 3),
            "model_border": round(sure.probability, 4),
            "model_precision": round(sure.precision, 4),
            "model_precision_lower_95": round(sure.lower, 4),
        }
    )
    for row, point, line in zip(rows, others, shares, strict=True):
        found.scores[row] = {name: round(float(share), 4) for name, share in zip(names, line, strict=True)}
        found.vectors[row] = point
        if line.max() >= sure.probability:
            found.taken[row] = (names[int(line.argmax())], float(line.max()))
    if sure.rows == 0:
        found.advice.append(f"No border gives {section.precision:.0%} right labels: label more rows.")
    return found
