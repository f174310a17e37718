"""JSON Lines: one object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator

from pydantic import Field

from sevenfold.errors import DataError
from sevenfold.prepare.files import File, bad_bytes, opened_text
from sevenfold.prepare.sources import FileSource, Found, RawRow, Reading, Unreadable


class JsonLines(FileSource):
    """One JSON object a line; blank lines are no rows."""

    suffixes = (".jsonl", ".ndjson")
    encoding: str = Field("utf-8", description="The text's encoding.")

    def read(self, file: File, reading: Reading) -> Iterator[Found]:
        """The objects of one file; a line that is none is a finding."""
        with opened_text(file, self.encoding, reading.advance, "surrogateescape") as text:
            for number, line in enumerate(text, start=1):
                if line.strip():
                    yield self.one(line, file, number)

    def one(self, line: str, file: File, number: int) -> Found:
        """The object of a line, or what is wrong with it."""
        origin = f"{file}:{number}"
        wrong = bad_bytes(line, file, self.encoding, number)
        if wrong:
            return Unreadable(wrong, line)
        try:
            return RawRow(parsed(line, origin), origin)
        except DataError as error:
            return Unreadable(error, line)


def parsed(line: str, origin: str) -> dict[str, object]:
    """The object of a line.

    Raises:
        DataError: The line is not JSON, or not an object.
    """
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        near = line[max(0, error.pos - 20) : error.pos + 20].strip()
        raise DataError(
            f"broken JSON: {error.msg} at character {error.pos + 1}, near {near!r}",
            where=origin,
            expected="one whole JSON object a line",
            next_step="mend the line; a file that is one JSON list is read with source: {json: ...}",
        ) from None
    except RecursionError:
        raise DataError("the object is nested too deeply", where=origin) from None
    except ValueError as error:
        raise DataError(f"a number is too long: {error}", where=origin) from None
    if not isinstance(value, dict):
        raise DataError(f"not an object: {line.strip()[:60]}", where=origin, expected='{"column": value}')
    return value
