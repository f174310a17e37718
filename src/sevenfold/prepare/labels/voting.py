"""What the labelling functions say of all rows, and the label model's verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sevenfold.errors import DataError
from sevenfold.findings import Table
from sevenfold.prepare.labels.classifier import border
from sevenfold.prepare.labels.functions import functions_of
from sevenfold.prepare.labels.model import ABSTAINS, consensus, voters
from sevenfold.prepare.labels.section import Label

FEWEST_KNOWN = 50
"""Labelled rows with votes from which the border is measured; below, the model's own probability is believed."""


@dataclass
class Voted:
    """What came of it.

    Args:
        taken: Rows to the label and its probability, where the model is sure enough.
        scores: Rows to their labels' probabilities.
        figures: For the report.
        tables: For the report.
    """

    taken: dict[int, tuple[str, float]] = field(default_factory=dict)
    scores: dict[int, dict[str, float]] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)
    tables: list[Table] = field(default_factory=list)


def vote(texts: Sequence[str], rows: Sequence[dict[str, Any]], labels: Sequence[str | None], section: Label) -> Voted:
    """Ask every function about every row.

    Raises:
        DataError: A function fails or says what is no label.
    """
    functions = functions_of(section.functions, section.rules)
    if not functions:
        return Voted()
    import numpy

    said = [[function(text, row) for function in functions.values()] for text, row in zip(texts, rows, strict=True)]
    names = list(section.labels) or sorted(
        {one for line in said for one in line if one} | {one for one in labels if one is not None}
    )
    number = {name: index for index, name in enumerate(names)} | {None: ABSTAINS}
    for line in said:
        for function, one in zip(functions, line, strict=True):
            if one not in number:
                raise DataError(f"{function} says {one!r}, which is no label", value=one, alternatives=names)
    votes = numpy.array([[number[one] for one in line] for line in said])
    known = numpy.array([number.get(label, ABSTAINS) for label in labels])
    voted = (votes != ABSTAINS).any(axis=1)
    # Whether the model is right is measured on labelled rows that it is not told.
    half = (numpy.arange(len(known)) % 2 == 0) & (known != ABSTAINS)
    trial = consensus(votes, len(names), numpy.where(half, ABSTAINS, known)).labels_NK
    result, tried = consensus(votes, len(names), known), half & voted
    sure = border(trial[tried].max(axis=1), trial[tried].argmax(axis=1) == known[tried], section.precision)
    measured = int(tried.sum()) >= FEWEST_KNOWN
    least = sure.probability if measured else section.precision
    found = Voted()
    for row in numpy.flatnonzero(voted & (numpy.array([label is None for label in labels], dtype=bool))):
        shares = result.labels_NK[row]
        found.scores[int(row)] = {name: round(float(share), 4) for name, share in zip(names, shares, strict=True)}
        if shares.max() >= least:
            found.taken[int(row)] = (names[int(shares.argmax())], float(shares.max()))
    found.figures = {"functions_border": round(least, 4), "functions_border_measured": measured}
    lines = [
        (name, f"{one.coverage:.1%}", f"{one.overlap:.1%}", f"{one.conflict:.1%}", f"{accuracy:.2f}")
        for name, one, accuracy in zip(functions, voters(votes), result.accuracy_M, strict=True)
    ]
    head = ("function", "votes on", "with others", "against others", "accuracy as the model sees it")
    found.tables = [Table("Labelling functions", head, lines)]
    return found
