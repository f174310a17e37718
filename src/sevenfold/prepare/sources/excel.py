"""Excel workbooks (.xlsx): one sheet, one row a record, a row of it names the columns."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import Field

from sevenfold.errors import DataError, MachineError, SevenfoldError, first_line
from sevenfold.prepare.files import File
from sevenfold.prepare.packed import entries
from sevenfold.prepare.sources import FileSource, RawRow, Reading

MOST_ROWS, MOST_COLUMNS = 1_048_576, 16_384
"""What a sheet may have (ECMA-376); a broken file claims more."""
MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s")
OVERLAP = 64
"""Bytes, longer than the beginning of a mergeCell element."""
COUNTED = {
    "merged": "merged ranges, of which only the first cell has the value",
    "empty": "empty cells",
    "error": "cells with an error such as #N/A, which are read as empty",
    "nameless": "values under no column's name, which are not read",
}


class Excel(FileSource):
    """Excel workbooks, read row by row with openpyxl (`sevenfold[prepare]`); formulas by the values kept in the file.

    Blank rows are no rows. Merged ranges, empty cells, errors and values outside of the named columns are counted.
    A row's origin is `FILE:SHEET!ROW`. In memory are the workbook's different texts, not its rows.
    """

    suffixes = (".xlsx", ".xlsm")
    sheet: str | None = Field(None, description="The sheet's name; not given: the first sheet.")
    header: int = Field(1, ge=1, description="The row that names the columns; what stands above it is not read.")

    def read(self, file: File, reading: Reading) -> Iterator[RawRow]:
        """The rows of one workbook's sheet.

        Raises:
            DataError: It is no workbook, has no such sheet, or its header cannot be used.
        """
        entries(file)  # A workbook is a ZIP archive: one that would fill the memory is refused here.
        found: Counter[str] = Counter()
        first: dict[str, str] = {}
        with file.open("rb") as raw, workbook(raw, file) as book:
            sheet = self.chosen(book, file, reading)
            with understood(file):
                found["merged"] = merged_ranges(book, sheet)
            place = f"{file}:{sheet.title}"
            columns: dict[int, str] = {}
            for number, cells in numbered(sheet, file, self.header):
                if number == self.header:
                    columns = header_of(cells, f"{place}!{number}")
                elif any(cell.value is not None for cell in cells):
                    yield RawRow(record(cells, columns, f"{place}!{number}", found, first), f"{place}!{number}")
        if not columns:
            raise DataError(f"the sheet has no row {self.header} with the columns' names", where=place)
        say(place, found, first, reading)
        reading.advance(file.stat().st_size)

    def chosen(self, book: Any, file: File, reading: Reading) -> Any:
        """The sheet that is read; the others are named.

        Raises:
            DataError: There is no such sheet.
        """
        sheets = {sheet.title: sheet for sheet in book.worksheets}
        name = self.sheet or next(iter(sheets), "")
        if name not in sheets:
            raise DataError(
                f"the workbook has no sheet {name!r}",
                where=str(file),
                value=name,
                alternatives=sheets,
                expected="sheet",
            )
        others = [other for other in sheets if other != name]
        if others and self.sheet is None:
            reading.warn(f"{file}: only the first sheet, {name!r}, is read; not read: {', '.join(others)}")
        return sheets[name]


@contextmanager
def understood(file: File, where: str = "") -> Iterator[None]:
    """Turn whatever openpyxl says of a broken workbook into an error that names the place.

    Raises:
        DataError: The workbook cannot be read.
    """
    try:
        yield
    except SevenfoldError:
        raise
    except Exception as error:
        said = first_line(error)
        raise DataError(
            f"the workbook cannot be read: {said}",
            where=where or str(file),
            expected="an .xlsx workbook without a password",
            next_step="open it in a spreadsheet program and save it anew, or save the sheet as CSV",
        ) from error


@contextmanager
def workbook(raw: Any, file: File) -> Iterator[Any]:
    """A workbook, its sheets not loaded.

    Raises:
        MachineError: openpyxl is not installed.
        DataError: The file is no workbook.
    """
    try:
        import openpyxl
    except ImportError:
        raise MachineError(
            "the source excel needs the library openpyxl", next_step="pip install 'sevenfold[prepare]'"
        ) from None
    with understood(file):
        book = openpyxl.load_workbook(raw, read_only=True, data_only=True, keep_links=False)
    try:
        yield book
    finally:
        book.close()


def numbered(sheet: Any, file: File, first: int) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """The rows from the header on, with their numbers."""
    sheet.reset_dimensions()  # What a file says of its own size may be wrong, and would cut rows off.
    number = first - 1
    with understood(file):
        rows = sheet.iter_rows(min_row=first, max_row=MOST_ROWS)
    while True:
        with understood(file, f"{file}:{sheet.title}!{number + 1}"):
            cells = next(rows, None)
        if cells is None:
            return
        number += 1
        yield number, cells[:MOST_COLUMNS]


def header_of(cells: tuple[Any, ...], where: str) -> dict[int, str]:
    """The columns' places and names.

    Raises:
        DataError: There is none, or one stands twice.
    """
    named = {place: str(cell.value).strip() for place, cell in enumerate(cells) if cell.value is not None}
    columns = {place: name for place, name in named.items() if name}
    twice = [name for name, count in Counter(columns.values()).items() if count > 1]
    if not columns:
        raise DataError("the row names no columns", where=where, next_step="set header to the row that does")
    if twice:
        raise DataError(f"the column {twice[0]!r} stands twice in the header", where=where)
    return columns


def record(
    cells: tuple[Any, ...], columns: dict[int, str], where: str, found: Counter[str], first: dict[str, str]
) -> dict[str, Any]:
    """A row's values by column; what is odd in it is counted, and the first place of each oddity kept."""
    values: dict[str, Any] = dict.fromkeys(columns.values())
    odd: Counter[str] = Counter()
    for place, cell in enumerate(cells):
        if cell.value is None:
            continue
        if place not in columns:
            odd["nameless"] += 1
        elif cell.data_type == "e":
            odd["error"] += 1
        else:
            values[columns[place]] = cell.value
    odd["empty"] = sum(value is None for value in values.values()) - odd["error"]
    for kind in +odd:
        first.setdefault(kind, where)
    found.update(odd)
    return values


def merged_ranges(book: Any, sheet: Any) -> int:
    """How many merged ranges a sheet has; openpyxl's stream does not tell, so they are counted in the sheet's XML."""
    count, rest = 0, b""
    with book._archive.open(sheet._worksheet_path) as part:
        while chunk := part.read(1 << 20):
            text = rest + chunk
            matches = list(MERGED.finditer(text))
            count += len(matches)
            rest = text[max(matches[-1].end() if matches else 0, len(text) - OVERLAP) :]
    return count


def say(place: str, found: Counter[str], first: dict[str, str], reading: Reading) -> None:
    """Say what was counted, with the first place of each."""
    for kind, count in (+found).items():
        where = f", first at {first[kind]}" if kind in first else ""
        (reading.note if kind == "empty" else reading.warn)(f"{place}: {count:,} {COUNTED[kind]}{where}")
