"""CSV and TSV: one row a record, the first record names the columns."""

from __future__ import annotations

import csv
import itertools
import sys
from collections import deque
from collections.abc import Iterator

from pydantic import Field

from sevenfold.errors import DataError
from sevenfold.prepare.files import File, bad_bytes, opened_text
from sevenfold.prepare.sources import FileSource, Found, RawRow, Reading, Unreadable

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
SAMPLE_LINES = 50
LONGEST = 1 << 24
"""Characters of a record from which its quote counts as one that is not closed."""


class Csv(FileSource):
    """Comma-separated values; the delimiter is found from the file when it is not given."""

    suffixes = (".csv", ".tsv")
    delimiter: str | None = Field(
        None, min_length=1, max_length=1, description="One character; found from the file when not given."
    )
    encoding: str = Field("utf-8", description="The text's encoding.")

    def read(self, file: File, reading: Reading) -> Iterator[Found]:
        """The records of one file; a record's origin is the line where it begins."""
        with opened_text(file, self.encoding, reading.advance, "surrogateescape") as text:
            sample = list(itertools.islice(text, SAMPLE_LINES))
            delimiter = self.delimiter or found_delimiter(sample)
            if self.delimiter is None and delimiter != ",":
                reading.note(f"{file.name}: the delimiter is a {DELIMITERS[delimiter]}")
            yield from records(Lines(itertools.chain(sample, text)), delimiter, file, self.encoding)


class Lines:
    """A file's lines, which remembers those of the record that is being read, to begin anew behind a broken one."""

    def __init__(self, text: Iterator[str]) -> None:
        self.text, self.again, self.record, self.number = text, deque[str](), list[str](), 1

    def feed(self) -> Iterator[str]:
        """The lines that are left; a generator, since it is asked for each line."""
        record, length = self.record, 0
        for line in itertools.chain(self.waiting(), self.text):
            length = length + len(line) if record else 0
            if length > LONGEST:
                self.again.appendleft(line)
                raise csv.Error(f"a record of more than {LONGEST:,} characters")
            record.append(line)
            yield line

    def waiting(self) -> Iterator[str]:
        """The lines behind a broken record that were read with it."""
        while self.again:
            yield self.again.popleft()

    def done(self) -> str:
        """The record's lines, which are forgotten; the next one begins."""
        record = self.record
        self.number += len(record)
        whole = record[0] if len(record) == 1 else "".join(record)
        record.clear()
        return whole

    def retreat(self) -> str:
        """Give up the record's first line, which is returned; the next record begins behind it."""
        self.again.extendleft(reversed(self.record[1:]))
        del self.record[1:]
        return self.done()


def records(lines: Lines, delimiter: str, file: File, encoding: str) -> Iterator[Found]:
    """The rows of a CSV text; a record that is none is a finding, and the next one begins on the line behind it.

    Raises:
        DataError: The header is wrong.
    """
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    reader = csv.reader(lines.feed(), delimiter=delimiter, strict=True)
    columns: list[str] | None = None
    while True:
        number = lines.number
        try:
            values = next(reader, None)
        except csv.Error as error:
            wrong = broken(error, f"{file}:{number}")
            if columns is None:
                raise wrong from None
            yield Unreadable(wrong, lines.retreat())
            reader = csv.reader(lines.feed(), delimiter=delimiter, strict=True)
            continue
        whole = lines.done()
        bad = bad_bytes(whole, file, encoding, number)
        if columns is None:
            if bad:
                raise bad
            columns = checked_header(values or [], delimiter, file)
        elif bad:
            yield Unreadable(bad, whole)
        elif values and len(values) != len(columns):
            yield Unreadable(uneven(values, columns, delimiter, f"{file}:{number}"), whole)
        elif values:
            yield RawRow(dict(zip(columns, values, strict=True)), f"{file}:{number}")
        if values is None:
            return


def broken(error: csv.Error, origin: str) -> DataError:
    """The error for a record that does not parse."""
    return DataError(
        f"broken CSV: {error}",
        where=origin,
        expected='a value that holds a quote written as "a ""quoted"" word"',
        next_step="look for a quote that is not closed",
    )


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


def uneven(values: list[str], columns: list[str], delimiter: str, origin: str) -> DataError:
    """The error for a record that does not fit the header."""
    return DataError(
        f"the record has {len(values)} values, the header {len(columns)} columns: {', '.join(columns)}",
        where=origin,
        expected=f"{len(columns)} values separated by {delimiter!r}; one that contains it stands in quotes",
        next_step="quote the value, or check the delimiter",
    )
