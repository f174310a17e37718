"""JSON: a list of objects, or an object that holds one such list."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TextIO

from pydantic import Field

from sevenfold.errors import DataError
from sevenfold.prepare.files import File, opened_text
from sevenfold.prepare.sources import FileSource, RawRow, Reading

CHUNK = 1 << 16
SPACE = " \t\r\n"


class Json(FileSource):
    """A JSON list, read one object at a time; ``{"data": [...]}`` is read whole."""

    suffixes = (".json",)
    encoding: str = Field("utf-8", description="The text's encoding.")

    def read(self, file: File, reading: Reading) -> Iterator[RawRow]:
        """The objects of one file; a row's origin is the line where it begins."""
        with opened_text(file, self.encoding, reading.advance) as text:
            window = Window(text, file)
            if window.peek() == "[":
                yield from listed(window)
            else:
                yield from inner_list(window)


class Window:
    """The part of a JSON text that is being read, and the line it begins at."""

    def __init__(self, text: TextIO, file: File) -> None:
        self.source, self.file, self.text, self.start, self.line = text, file, "", 0, 1

    @property
    def place(self) -> str:
        """``file:line`` of the next character."""
        return f"{self.file}:{self.line}"

    def more(self) -> bool:
        """Read on, as much again as is in the window, so that one huge object costs few attempts."""
        self.text = self.text[self.start :]
        self.start = 0
        chunk = self.source.read(max(CHUNK, len(self.text)))
        self.text += chunk
        return bool(chunk)

    def skip(self, count: int) -> None:
        """Leave ``count`` characters behind."""
        self.line += self.text.count("\n", self.start, self.start + count)
        self.start += count

    def peek(self) -> str:
        """The next character that is not white space, which is left behind; empty at the end."""
        while True:
            while self.start < len(self.text):
                if self.text[self.start] not in SPACE:
                    return self.text[self.start]
                self.skip(1)
            if not self.more():
                return ""

    def value(self) -> Any:
        """The next JSON value, left behind.

        Raises:
            DataError: It is broken.
        """
        while True:
            try:
                value, end = json.JSONDecoder().raw_decode(self.text, self.start)
            except json.JSONDecodeError as error:
                # The text may only be cut at the window's end: it is broken when there is no more.
                if not self.more():
                    raise self.broken(error) from None
                continue
            except RecursionError:
                raise DataError("the value is nested too deeply", where=self.place) from None
            except ValueError as error:
                raise DataError(f"a number is too long: {error}", where=self.place) from None
            self.skip(end - self.start)
            return value

    def broken(self, error: json.JSONDecodeError) -> DataError:
        """The error for JSON that does not parse, at its line."""
        line = self.line + self.text.count("\n", self.start, error.pos)
        near = self.text[max(0, error.pos - 20) : error.pos + 20]
        return DataError(
            f"broken JSON: {error.msg}, near {near!r}",
            where=f"{self.file}:{line}",
            expected="a list of objects",
            next_step="mend the file; one object a line is read with source: {jsonl: ...}",
        )


def listed(window: Window) -> Iterator[RawRow]:
    """The objects of a list, one at a time."""
    window.skip(1)
    while window.peek() not in ("]", ""):
        place = window.place
        yield RawRow(as_object(window.value(), place), place)
        if window.peek() == ",":
            window.skip(1)
        elif window.peek() != "]":
            raise DataError(
                f"broken JSON: {window.peek() or 'the end of the file'!r} where a comma or ] belongs",
                where=window.place,
            )
    if window.peek() == "":
        raise DataError("broken JSON: the list is not closed", where=window.place, expected="]")


def inner_list(window: Window) -> Iterator[RawRow]:
    """The objects of the one list that an object holds.

    Raises:
        DataError: It holds none or several, or something follows it.
    """
    place = window.place
    whole = window.value()
    lists = {key: value for key, value in whole.items() if isinstance(value, list)} if isinstance(whole, dict) else {}
    if window.peek():
        raise DataError(
            "something follows the first JSON value",
            where=window.place,
            next_step="a file with one object a line is read with source: {jsonl: ...}",
        )
    if len(lists) != 1:
        raise DataError(
            f"expected one list of objects, found {len(lists)}: {', '.join(lists) or type(whole).__name__}",
            where=place,
            expected='[{"column": value}, ...] or {"data": [...]}',
        )
    for number, value in enumerate(next(iter(lists.values())), start=1):
        yield RawRow(as_object(value, place), f"{window.file}:row {number}")


def as_object(value: Any, place: str) -> dict[str, Any]:
    """The value, which has to be an object."""
    if not isinstance(value, dict):
        raise DataError(
            f"not an object: {json.dumps(value, ensure_ascii=False)[:60]}", where=place, expected='{"column": value}'
        )
    return value
