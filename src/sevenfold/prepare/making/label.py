"""What a row is about, as a recipe names it: a column that is kept, or the reply."""

from __future__ import annotations

from sevenfold.prepare.dataset import Row

REPLY = "reply"
"""The name of what the assistant says last, which is the label where rows of the format ``labelled`` are read."""


def value_of(row: Row, name: str) -> str:
    """The value of a row's column, or its last reply; empty where it has none."""
    return row.conversation.reference() if name == REPLY and REPLY not in row.fields else row.fields.get(name, "")


def known_names(row: Row) -> list[str]:
    """What can be named of a row."""
    return sorted({*row.fields, REPLY})
