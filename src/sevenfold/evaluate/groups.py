"""Rows that are also compared apart: by the task whose adapter answers them, or by a column of the rows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from sevenfold.errors import DataError
from sevenfold.evaluate.held_out import Question, Said, unsaid
from sevenfold.evaluate.many import corrected_groups
from sevenfold.evaluate.paired import Comparison, Pairs, compare
from sevenfold.prepare.dataset import Row

if TYPE_CHECKING:
    from sevenfold.evaluate.section import EvaluateSection
    from sevenfold.tune.tuned import Tuned

TASK = "task"
"""What groups are called where no column was named."""

Groups = dict[str, dict[str, Comparison]]
"""Group to metric to comparison."""


def grouping(section: EvaluateSection, tuned: Tuned) -> Said:
    """A row's group: what the recipe's column says, else its task where several have adapters."""
    if section.by is not None:
        return partial(column, section.by)
    return tuned.task_of if tuned.tasks() else unsaid


def column(name: str, row: Row) -> str:
    """What a row's column says.

    Raises:
        DataError: The row has no such column.
    """
    if name not in row.fields:
        raise DataError(
            f"a row has no column {name!r} to group by",
            where=row.origin,
            value=name,
            alternatives=row.fields,
            next_step="evaluate.by: another column; prepare.keep keeps columns",
        )
    return row.fields[name]


def by_group(
    questions: Sequence[Question], pairs: dict[str, Pairs], seed: int, resamples: int, confidence: float
) -> Groups:
    """Every metric's comparison over the rows of each group alone, corrected for all groups and metrics together.

    Args:
        questions: The rows, N of them.
        pairs: Each metric's values of these rows.
        seed: The seed of the resampling.
        resamples: How often rows are drawn anew.
        confidence: The share of such intervals that hold the true difference.
    """
    names = sorted({question.group for question in questions if question.group is not None})
    found: Groups = {}
    for name in names:
        rows_N = np.array([question.group == name for question in questions])
        found[name] = {
            metric: compare(metric, part(pair, rows_N), seed, resamples, confidence) for metric, pair in pairs.items()
        }
    return corrected_groups(found)


def part(pairs: Pairs, rows_N: np.ndarray) -> Pairs:
    """The values of some of the rows."""
    tables = (pairs.tables[0][rows_N], pairs.tables[1][rows_N]) if pairs.tables else None
    return Pairs(pairs.metric, pairs.base_N[rows_N], pairs.tuned_N[rows_N], pairs.weights_N[rows_N], tables)
