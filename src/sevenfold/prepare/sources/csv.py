"""CSV and TSV: one row a record, the first record names the columns."""

from __future__ import annotations

import csv
import itertools
import sys
from collections.abc import Iterator
from typing import TextIO

from pydantic import Field

from sevenfold.errors import DataError
from sevenfold.prepare.files import File, opened_text
from sevenfold.prepare.sources import FileSource, RawRow, Reading

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
SAMPLE_LINES = 50


class Csv(FileSource):
    """Comma-separated values; the delimiter is found from the file when it is not given."""

    suffixes = (".csv", ".tsv")
    delimiter: str | None = Field(
        None, min_length=1, max_length=1, description="One character; found from the file when not given."
    )
    encoding: str = Field("utf-8", description="The text's encoding.")

    def read(self, file: File, reading: Reading) -> Iterator[RawRow]:
        """The records of one file; a record's origin is the line where it begins."""
        with opened_text(file, self.encoding, reading.advance) as text:
            sample = list(itertools.islice(text, SAMPLE_LINES))
            delimiter = self.delimiter or found_delimiter(sample)
            if self.delimiter is None and delimiter != ",":
                reading.note(f"{file.name}: the delimiter is a {DELIMITERS[delimiter]}")
            yield from records(itertools.chain(sample, text), delimiter, file)


def records(text: Iterator[str] | TextIO, delimiter: str, file: File) -> Iterator[RawRow]:
    """The rows of a CSV text.

    Raises:
        DataError: The header is wrong, a record has more or fewer values than it, or a quote is not closed.
    """
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    line = 1
    try:
        columns = checked_header(next(reader, []), delimiter, file)
        line = reader.line_num + 1
        for values in reader:
            if values:
                if len(values) != len(columns):
                    raise uneven(values, columns, delimiter).at(f"{file}:{line}")
                yield RawRow(dict(zip(columns, values, strict=True)), f"{file}:{line}")
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(
            f"broken CSV: {error}",
            where=f"{file}:{line}",
            expected='a value that holds a quote written as "a ""quoted"" word"',
            next_step="look for a quote that is not closed",
        ) from None


def found_delimiter(lines: list[str]) -> str:
    """The delimiter that cuts the first records into the same number of columns, most columns first; else a comma."""
    widths = {delimiter: width(lines, delimiter) for delimiter in DELIMITERS}
    best = max(widths, key=lambda delimiter: widths[delimiter])
    return best if widths[best] > 1 else ","


def width(lines: list[str], delimiter: str) -> int:
    """How many columns every record of the sample has, 0 when they differ or cannot be read."""
    try:
        counts = [len(values) for values in csv.reader(lines, delimiter=delimiter) if values]
    except csv.Error:
        return 0
    if len(counts) == SAMPLE_LINES or len(lines) == SAMPLE_LINES:
        counts = counts[:-1] or counts  # The sample may end inside a quoted record.
    return counts[0] if len(set(counts)) == 1 else 0


def checked_header(columns: list[str], delimiter: str, file: File) -> list[str]:
    """The columns' names.

    Raises:
        DataError: There is none, one stands twice, or another delimiter would cut the only one.
    """
    columns = [column.strip() for column in columns]
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if not any(columns):
        raise DataError("the first line names no columns", where=f"{file}:1")
    if twice:
        raise DataError(f"the column {twice[0]!r} stands twice in the header", where=f"{file}:1")
    others = [other for other in DELIMITERS if other != delimiter and len(columns) == 1 and other in columns[0]]
    if others:
        raise DataError(
            f"with the delimiter {delimiter!r} there is one column, {columns[0]!r}, and it contains {others[0]!r}",
            where=f"{file}:1",
            expected=f"columns separated by {delimiter!r}",
            next_step=f"set delimiter: {others[0]!r}, or leave it out to have it found",
        )
    return columns


def uneven(values: list[str], columns: list[str], delimiter: str) -> DataError:
    """The error for a record that does not fit the header."""
    return DataError(
        f"the record has {len(values)} values, the header {len(columns)} columns: {', '.join(columns)}",
        expected=f"{len(columns)} values separated by {delimiter!r}; one that contains it stands in quotes",
        next_step="quote the value, or check the delimiter",
    )
