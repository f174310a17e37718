"""JSON: a list of objects, or an object that holds one such list."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TextIO

from pydantic import Field

from sevenfold.errors import DataError
from sevenfold.prepare.files import File, bad_bytes, opened_text
from sevenfold.prepare.sources import FileSource, Found, RawRow, Reading, Unreadable

CHUNK = 1 << 16
SPACE = " \t\r\n"


class Json(FileSource):
    """A JSON list, read one object at a time; ``{"data": [...]}`` is read whole."""

    suffixes = (".json",)
    encoding: str = Field("utf-8", description="The text's encoding.")

    def read(self, file: File, reading: Reading) -> Iterator[Found]:
        """The objects of one file; a row's origin is the line where it begins."""
        with opened_text(file, self.encoding, reading.advance, "surrogateescape") as text:
            window = Window(text, file, self.encoding)
            if window.peek() == "[":
                yield from listed(window)
            else:
                yield from inner_list(window)


class Window:
    """The part of a JSON text that is being read, and the line it begins at."""

    def __init__(self, text: TextIO, file: File, encoding: str) -> None:
        self.source, self.file, self.encoding = text, file, encoding
        self.text, self.start, self.line, self.last = "", 0, 1, ""
        self.indent: str | None = None
        """What stands before the objects that were read, on their own lines; None where they share a line."""

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

    def margin(self) -> None:
        """Note whether the next object begins a line, and how far in."""
        line = self.text.rfind("\n", 0, self.start)
        before = self.text[line + 1 : self.start]
        if line >= 0 and not before.strip(SPACE):
            self.indent = before

    def resume(self) -> str | None:
        """Leave behind all up to the next line that begins as the objects before did, and give it; None: there is none.

        A line end cannot stand inside a JSON string, and what an object holds is set further in.
        """
        mark = None if self.indent is None else f"\n{self.indent}{{"
        begin = self.text.find(mark, self.start) if mark else -1
        while begin < 0 and self.more():
            begin = self.text.find(mark, self.start) if mark else -1
        if begin < 0 or mark is None:
            return None
        left = self.text[self.start : begin]
        self.skip(begin + len(mark) - 1 - self.start)
        return left

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
            self.last = self.text[self.start : end]
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


def listed(window: Window) -> Iterator[Found]:
    """The objects of a list, one at a time; behind a broken one it goes on where another begins a line as they did.

    Raises:
        DataError: It is broken, and nothing says where the next object begins.
    """
    window.skip(1)
    while window.peek() not in ("]", ""):
        place = window.place
        window.margin()
        try:
            found = located(window, place)
            follows = window.peek()
            if follows not in (",", "]"):
                said = follows or "the end of the file"
                raise DataError(f"broken JSON: {said!r} where a comma or ] belongs", where=window.place)
        except DataError as error:
            left = window.resume()
            if left is None:
                raise
            yield Unreadable(error, left)
            continue
        yield found
        if follows == ",":
            window.skip(1)
    if window.peek() == "":
        raise DataError("broken JSON: the list is not closed", where=window.place, expected="]")


def located(window: Window, place: str) -> Found:
    """The next object of a list, or what is wrong with it although it is whole."""
    line, value = window.line, window.value()
    wrong = bad_bytes(window.last, window.file, window.encoding, line)
    return Unreadable(wrong, window.last) if wrong else one(value, place)


def one(value: Any, place: str) -> Found:
    """A value of a list as a row, or that it is no object."""
    try:
        return RawRow(as_object(value, place), place)
    except DataError as error:
        return Unreadable(error, json.dumps(value, ensure_ascii=False))


def inner_list(window: Window) -> Iterator[Found]:
    """The objects of the one list that an object holds.

    Raises:
        DataError: It holds none or several, or something follows it.
    """
    place = window.place
    line, whole = window.line, window.value()
    wrong = bad_bytes(window.last, window.file, window.encoding, line)
    if wrong:
        raise wrong
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
        yield one(value, f"{window.file}:row {number}")


def as_object(value: Any, place: str) -> dict[str, Any]:
    """The value, which has to be an object."""
    if not isinstance(value, dict):
        raise DataError(
            f"not an object: {json.dumps(value, ensure_ascii=False)[:60]}", where=place, expected='{"column": value}'
        )
    return value
