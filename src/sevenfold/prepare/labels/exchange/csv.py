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
from sevenfold.page.sheets import ENCODING, harmless, table
from sevenfold.prepare.labels.exchange import Exchange, Returned, columns_of, origin_of
from sevenfold.prepare.labels.review import Queue
from sevenfold.record import writing

COLUMNS = ("origin", "text", "suggested", "why", "label", "note", "annotator")
PART = "|"


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
        with writing(path) as temporary, temporary.open("w", encoding=ENCODING, newline="") as file:
            sheet = csv.writer(file)
            sheet.writerow([*COLUMNS, *more])
            for item, context in zip(review.items, contexts, strict=True):
                own = [item.text, PART.join(item.suggested), item.why, "", "", ""]
                cells = [*own, *(context.get(name, "") for name in more)]
                sheet.writerow([item.origin, *map(harmless, cells)])
        return [path]

    def read(self, path: Path) -> Iterator[Returned]:
        """Every row of the table; an empty label is no answer."""
        for row in table(path, "label"):
            given, note, name = ((row.get(column) or "").strip() for column in ("label", "note", "annotator"))
            labels = [part.strip() for part in given.split(PART)] if given else None
            yield Returned(origin_of(row.get("origin")), labels, name, note=note)

    def recognises(self, path: Path, first: dict[str, Any]) -> bool:
        """A file of that name."""
        return path.suffix in (".csv", ".tsv")
