"""Batches of Arrow's columns as rows: what Parquet and Arrow files share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sevenfold.errors import DataError, SevenfoldError, first_line
from sevenfold.prepare.files import File
from sevenfold.prepare.sources import Found, RawRow, Unreadable

if TYPE_CHECKING:
    import pyarrow

BATCH = 1000
"""Rows that are made at a time."""


Part = Callable[[], "Iterator[pyarrow.RecordBatch]"]
"""A part of a file that is read for itself: another part can be read where this one cannot."""


def rows_of(parts: Iterable[tuple[str, int, Part]], file: File, kind: str) -> Iterator[Found]:
    """The rows of a file's parts; a row's origin is its number in the file, from 1.

    A part that cannot be read is a finding, with the rows that it should have had where the file says so.

    Args:
        parts: The parts in order: what each is called, its rows (0: the file does not say), and its batches.
        file: The file, for the origins.
        kind: What the file should be, for the error.
    """
    number = 0
    for name, rows, part in parts:
        before = number
        try:
            for found in part_rows(part, file, kind, number):
                number += 1
                yield found
        except DataError as error:
            lost = f"; {before + rows - number:,} rows of {name} are lost" if rows else f"; the rest of {name} is lost"
            error.problem += lost
            yield Unreadable(error.at(f"{file}:{number + 1}"), rest=True)
            number = max(number, before + rows)


def part_rows(part: Part, file: File, kind: str, number: int) -> Iterator[Found]:
    """The rows of one part, numbered from ``number`` + 1.

    Raises:
        DataError: A batch is broken; the row behind the last that could be read is said.
    """
    with readable(file, kind, number):
        batches = part()
    while True:
        with readable(file, kind, number):
            batch = next(batches, None)
            if batch is None:
                return
            batch.validate(full=True)
        for start in range(0, batch.num_rows, BATCH):
            for found in as_rows(batch.slice(start, BATCH), file, kind, number):
                number += 1
                yield found


def as_rows(batch: pyarrow.RecordBatch, file: File, kind: str, number: int) -> list[Found]:
    """The rows of a few; one whose cells have no value in Python is a finding."""
    try:
        with readable(file, kind, number):
            return [RawRow(values, f"{file}:{number + place}") for place, values in enumerate(batch.to_pylist(), 1)]
    except DataError as error:
        if batch.num_rows == 1:
            return [Unreadable(error.at(f"{file}:{number + 1}"))]
    places = range(batch.num_rows)
    return [found for place in places for found in as_rows(batch.slice(place, 1), file, kind, number + place)]


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
