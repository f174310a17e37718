"""How far several annotators agree so far, of the rows that more than one of them answered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sevenfold.agreement import alpha, percent
from sevenfold.prepare.labels.answers import Label
from sevenfold.prepare.labels.queue import Answer


@dataclass(frozen=True)
class Concord:
    """What the annotators have in common.

    Args:
        annotators: Rows answered by each.
        rows: Rows that two or more answered.
        same: The share of pairs of answers to one row that are the same, 0 to 1.
        alpha: Krippendorff's alpha for names: 1 is full agreement, 0 what chance gives. None where all answers are one
            label, for which it is not defined. Sets of labels are compared whole.
    """

    annotators: dict[str, int]
    rows: int
    same: float | None
    alpha: float | None

    def line(self) -> str:
        """The agreement in a sentence."""
        if not self.rows:
            return "no row was answered by more than one annotator, so agreement is not known"
        alpha = "not defined, since all gave one label" if self.alpha is None else f"{self.alpha:.2f}"
        return f"agreement on {self.rows:,} rows: {self.same:.0%} of the pairs, Krippendorff's alpha {alpha}"


def concord(held: Mapping[str, Mapping[str, Answer]]) -> Concord:
    """The agreement of what holds.

    Args:
        held: For each row what holds of each annotator; rows that were passed over do not count.

    Raises:
        MachineError: The package that computes alpha is not installed.
    """
    rows = [
        {name: key(answer.label) for name, answer in of_row.items() if answer.label is not None}
        for of_row in held.values()
    ]
    names = sorted({name for row in rows for name in row})
    counts = {name: sum(name in row for row in rows) for name in names}
    shared = [row for row in rows if len(row) > 1]
    ratings = [list(row.values()) for row in shared]
    return Concord(counts, len(shared), percent(ratings), alpha(ratings))


def key(label: Label) -> str:
    """A label, or a set of labels, as a name that can be compared."""
    return json.dumps([label] if isinstance(label, str) else sorted(set(label or ())))
