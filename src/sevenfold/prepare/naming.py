"""What a row is about, as a recipe names it: a column that is kept, or the reply."""

from __future__ import annotations

from sevenfold.errors import DataError
from sevenfold.prepare.dataset import Row

REPLY = "reply"
"""The name of what the assistant says last, which is the label where rows of the format ``labelled`` are read."""


def value_of(row: Row, name: str) -> str:
    """The value of a row's column, or its last reply; empty where it has none."""
    return (
        row.conversation.reference().strip() if name == REPLY and REPLY not in row.fields else row.fields.get(name, "")
    )


def needed_value(row: Row, name: str) -> str:
    """The same of a row that must have it.

    Raises:
        DataError: The row has no such column, or no reply.
    """
    if name in row.fields or (name == REPLY and row.conversation.replies):
        return value_of(row, name)
    missing = "no reply" if name == REPLY else f"no column {name!r}"
    raise DataError(
        f"the row has {missing}",
        where=row.origin,
        value=name,
        alternatives=known_names(row),
        next_step="name the column of the label, or reply for the last reply; keep it with prepare.keep",
    )


def known_names(row: Row) -> list[str]:
    """What can be named of a row."""
    return sorted({*row.fields, REPLY})
