"""Doccano: JSON Lines with ``text`` and ``label``, for projects of text classification; and the labels as JSON.

The other columns are the row's metadata, which Doccano gives back. Doccano knows no suggestions: a label that is
imported is an answer. So the suggested one goes along as the column ``suggested`` and the label is left empty. An
export is one file, or a ``.zip`` with one file a person (``all.jsonl`` where they work together).
Format: https://doccano.github.io/doccano/tutorial/ and ``backend/data_export`` of github.com/doccano/doccano.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sevenfold.errors import DataError
from sevenfold.prepare.labels.exchange import (
    Exchange,
    Returned,
    beside,
    columns_of,
    origin_of,
    read_lines,
    texts,
    write_lines,
)
from sevenfold.prepare.labels.review import Queue, json_line
from sevenfold.record import write_json

SHARED = ("all", "admin")
"""Names of files that are nobody's own."""


class Doccano(Exchange):
    """Rows with ``text``, ``label`` and metadata."""

    def write(self, review: Queue, path: Path) -> list[Path]:
        """The rows, and the labels for the project's page of labels."""
        own = ("id", "text", "label", "Comments", "origin", "suggested", "why")
        rows = (
            {
                **columns_of(item.context, own),
                "text": item.text,
                "label": [],
                "origin": item.origin,
                "suggested": ", ".join(item.suggested),
                "why": item.why,
            }
            for item in review.items
        )
        write_lines(path, rows)
        labels = beside(path, "-labels.json")
        write_json(labels, [{"text": label} for label in review.labels])
        return [path, labels]

    def read(self, path: Path) -> Iterator[Returned]:
        """Every row of every person; one without a label is not answered."""
        for name, row in people(path):
            labels = texts(row.get("label", row.get("labels")))
            note = " ".join(texts(row.get("Comments", row.get("comments"))))
            yield Returned(origin_of(row.get("origin")), labels or None, name, note=note)

    def recognises(self, path: Path, first: dict[str, Any]) -> bool:
        """A text, which older versions call ``data``, with a list of labels; or an archive."""
        return path.suffix == ".zip" or (isinstance(first.get("label"), list) and bool({"text", "data"} & set(first)))


def people(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rows of a file or an archive, each with the name of whose they are; empty for all together.

    Raises:
        DataError: The archive cannot be read.
    """
    if path.suffix != ".zip":
        yield from (("", row) for row in read_lines(path))
        return
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.endswith(".jsonl"):
                    with io.TextIOWrapper(archive.open(name), encoding="utf-8-sig") as file:
                        stem = Path(name).stem
                        for number, line in enumerate(file, start=1):
                            if line.strip():
                                yield "" if stem in SHARED else stem, json_line(line, f"{path}/{name}:{number}")
    # The library has an error of its own for each part of an archive that can be wrong.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, OSError) as error:
        if isinstance(error, UnicodeDecodeError):
            raise
        raise DataError(f"the archive cannot be read: {error}", where=str(path)) from error
