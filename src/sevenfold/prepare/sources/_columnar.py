"""Batches of Arrow's columns as rows: what Parquet and Arrow files share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sevenfold.errors import DataError, SevenfoldError, first_line
from sevenfold.prepare.files import File
from sevenfold.prepare.sources import RawRow

if TYPE_CHECKING:
    import pyarrow

BATCH = 1000
"""Rows that are made at a time."""


def rows_of(batches: Iterator[pyarrow.RecordBatch], file: File, kind: str) -> Iterator[RawRow]:
    """The rows of a file's batches; a row's origin is its number in the file, from 1.

    Args:
        batches: The batches in order; what stands in them is checked before it is used.
        file: The file, for the origins.
        kind: What the file should be, for the error.

    Raises:
        DataError: The file is broken; the last row that could be read is said.
    """
    number = 0
    while True:
        with readable(file, kind, number):
            batch = next(batches, None)
            if batch is None:
                return
            batch.validate(full=True)
        for start in range(0, batch.num_rows, BATCH):
            with readable(file, kind, number):
                found = batch.slice(start, BATCH).to_pylist()
            for values in found:
                number += 1
                yield RawRow(values, f"{file}:{number}")


@contextmanager
def readable(file: File, kind: str, number: int = 0) -> Iterator[None]:
    """Turn whatever Arrow says of broken bytes into an error that names the place.

    Raises:
        DataError: The file is not what it should be.
    """
    try:
        yield
    except SevenfoldError:
        raise
    except Exception as error:
        said = first_line(error)
        where, after = (f"{file}:{number + 1}", f", after row {number:,}") if number else (str(file), "")
        raise DataError(f"the file is not {kind}{after}: {said}", where=where) from error
