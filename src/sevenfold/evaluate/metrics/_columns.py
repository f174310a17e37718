"""The row's other columns that a metric reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sevenfold.errors import DataError

if TYPE_CHECKING:
    from sevenfold.evaluate.held_out import Question


def cell(question: Question, column: str, metric: str) -> str:
    """What a row's column says.

    Raises:
        DataError: The row has no such column, or nothing stands in it.
    """
    found = question.fields.get(column, "")
    if not found.strip():
        raise DataError(
            f"a held-out row has nothing in the column {column!r}, which the metric {metric} reads",
            where=question.origin,
            value=column,
            alternatives=[name for name in question.fields if question.fields[name].strip()],
            next_step=f"name another column in evaluate.metrics: {{{metric}: {{...}}}}; prepare.keep keeps columns",
        )
    return found
