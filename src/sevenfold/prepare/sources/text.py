"""Plain text: a line, a paragraph or a whole file is a row with the one column ``text``."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Literal, TextIO

from pydantic import Field

from sevenfold.prepare.files import File, opened_text
from sevenfold.prepare.sources import FileSource, RawRow, Reading


class Text(FileSource):
    """Text files as rows of the column ``text``."""

    suffixes = (".txt", ".md")
    unit: Literal["lines", "paragraphs", "files"] = Field(
        "paragraphs", description="What one row is; blank lines separate paragraphs."
    )
    encoding: str = Field("utf-8", description="The text's encoding.")

    def read(self, file: File, reading: Reading) -> Iterator[RawRow]:
        """The rows of one file; blank lines and blank paragraphs are none."""
        with opened_text(file, self.encoding, reading.advance) as text:
            if self.unit == "files":
                yield RawRow({"text": text.read()}, f"{file}:1")
            else:
                yield from pieces(text, file, whole_paragraphs=self.unit == "paragraphs")


def pieces(text: TextIO, file: File, whole_paragraphs: bool) -> Iterator[RawRow]:
    """Paragraphs (runs of lines that are not blank), or their single lines."""
    numbered = enumerate(text, start=1)
    for filled, run in groupby(numbered, key=lambda item: bool(item[1].strip())):
        if filled and whole_paragraphs:
            lines = list(run)
            yield RawRow({"text": "".join(line for _, line in lines).rstrip("\r\n")}, f"{file}:{lines[0][0]}")
        elif filled:
            yield from (RawRow({"text": line.rstrip("\r\n")}, f"{file}:{number}") for number, line in run)
