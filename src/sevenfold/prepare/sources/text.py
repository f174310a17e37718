"""Plain text: a line, a paragraph or a whole file is a row with the one column ``text``."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Literal, TextIO

from pydantic import Field

from sevenfold.prepare.files import File, bad_bytes, opened_text
from sevenfold.prepare.sources import FileSource, Found, RawRow, Reading, Unreadable


class Text(FileSource):
    """Text files as rows of the column ``text``."""

    suffixes = (".txt", ".md")
    unit: Literal["lines", "paragraphs", "files"] = Field(
        "paragraphs", description="What one row is; blank lines separate paragraphs."
    )
    encoding: str = Field("utf-8", description="The text's encoding.")

    def read(self, file: File, reading: Reading) -> Iterator[Found]:
        """The rows of one file; blank lines and blank paragraphs are none."""
        if self.unit == "files":
            with opened_text(file, self.encoding, reading.advance) as text:
                yield RawRow({"text": text.read()}, f"{file}:1")
            return
        with opened_text(file, self.encoding, reading.advance, "surrogateescape") as text:
            for lines in pieces(text, whole_paragraphs=self.unit == "paragraphs"):
                yield self.one(lines, file)

    def one(self, lines: list[tuple[int, str]], file: File) -> Found:
        """The row of some numbered lines, or what is wrong with the first bad one."""
        whole = "".join(line for _, line in lines)
        for number, line in lines:
            wrong = bad_bytes(line, file, self.encoding, number)
            if wrong:
                return Unreadable(wrong, whole)
        return RawRow({"text": whole.rstrip("\r\n")}, f"{file}:{lines[0][0]}")


def pieces(text: TextIO, whole_paragraphs: bool) -> Iterator[list[tuple[int, str]]]:
    """Paragraphs (runs of lines that are not blank), or their single lines, with the lines' numbers."""
    numbered = enumerate(text, start=1)
    for filled, run in groupby(numbered, key=lambda item: bool(item[1].strip())):
        if filled and whole_paragraphs:
            yield list(run)
        elif filled:
            yield from ([item] for item in run)
