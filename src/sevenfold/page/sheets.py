"""Tables that people fill in with a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from sevenfold.errors import DataError

ENCODING = "utf-8-sig"
"""With the mark by which Excel knows UTF-8."""
FORMULA = ("=", "+", "-", "@", "\t", "\r")
DELIMITERS = ",;\t"
LONGEST = 2**31 - 1
"""Characters of a field at most."""


def harmless(cell: str) -> str:
    """A cell that a spreadsheet takes for text: one that begins like a formula gets a ``'`` before it."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def table(path: Path, needed: str) -> Iterator[dict[str, str | None]]:
    """The rows of a table, whichever of ``,`` ``;`` and tab parts it.

    Args:
        path: The file.
        needed: A column without which it is not the table that is meant.

    Yields:
        Column to cell.

    Raises:
        DataError: The column is not there, or the table cannot be read.
    """
    with path.open(encoding=ENCODING, newline="") as file:
        header = file.readline()
        file.seek(0)
        # A text may be longer than the module expects of a field.
        csv.field_size_limit(LONGEST)
        found = csv.DictReader(file, delimiter=max(DELIMITERS, key=header.count))
        try:
            if needed not in (found.fieldnames or ()):
                there = list(found.fieldnames or ())
                raise DataError(f"the table has no column {needed!r}", where=f"{path}:1", alternatives=there)
            yield from found
        except csv.Error as error:
            raise DataError(f"the table cannot be read: {error}", where=f"{path}:{found.line_num}") from error
