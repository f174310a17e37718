"""CSV for a spreadsheet: ``label`` and ``note`` are to be filled in; several labels are parted by ``|``.

Written with the mark by which Excel knows UTF-8. A text that begins like a formula gets a ``'`` before it, so that
opening the file runs nothing; the texts are not read back.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from sevenfold.errors import DataError
from sevenfold.prepare.labels.exchange import Exchange, Returned, columns_of, origin_of
from sevenfold.prepare.labels.review import Queue
from sevenfold.record import writing

COLUMNS = ("origin", "text", "suggested", "why", "label", "note", "annotator")
PART = "|"
FORMULA = ("=", "+", "-", "@", "\t", "\r")
DELIMITERS = ",;\t"
LONGEST = 2**31 - 1
"""Characters of a field at most."""


class Csv(Exchange):
    """A table with a row for each row."""

    suffix: ClassVar[str] = ".csv"

    def write(self, review: Queue, path: Path) -> list[Path]:
        """The table."""
        odd = next((label for label in review.labels if PART in label), None)
        if odd and review.multi:
            raise DataError(f"the label {odd!r} has a {PART}, by which several labels are parted in a table")
        contexts = [columns_of(item.context, COLUMNS) for item in review.items]
        more = sorted({name for context in contexts for name in context})
        with writing(path) as temporary, temporary.open("w", encoding="utf-8-sig", newline="") as file:
            table = csv.writer(file)
            table.writerow([*COLUMNS, *more])
            for item, context in zip(review.items, contexts, strict=True):
                own = [item.text, PART.join(item.suggested), item.why, "", "", ""]
                cells = [*own, *(context.get(name, "") for name in more)]
                table.writerow([item.origin, *map(harmless, cells)])
        return [path]

    def read(self, path: Path) -> Iterator[Returned]:
        """Every row of the table; an empty label is no answer."""
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline()
            file.seek(0)
            # A text may be longer than the module expects of a field.
            csv.field_size_limit(LONGEST)
            table = csv.DictReader(file, delimiter=max(DELIMITERS, key=header.count))
            try:
                if "label" not in (table.fieldnames or ()):
                    there = list(table.fieldnames or ())
                    raise DataError("the table has no column 'label'", where=f"{path}:1", alternatives=there)
                for row in table:
                    given, note, name = ((row.get(column) or "").strip() for column in ("label", "note", "annotator"))
                    labels = [part.strip() for part in given.split(PART)] if given else None
                    yield Returned(origin_of(row.get("origin")), labels, name, note=note)
            except csv.Error as error:
                raise DataError(f"the table cannot be read: {error}", where=f"{path}:{table.line_num}") from error

    def recognises(self, path: Path, first: dict[str, Any]) -> bool:
        """A file of that name."""
        return path.suffix in (".csv", ".tsv")


def harmless(cell: str) -> str:
    """A cell that a spreadsheet takes for text."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell
