"""Arrow and Feather files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from sevenfold.prepare.files import File
from sevenfold.prepare.sources import FileSource, Found, Reading
from sevenfold.prepare.sources._columnar import Part, readable, rows_of

MAGIC = b"ARROW1"
"""How an Arrow file begins; a stream of Arrow messages has no such mark."""


class Arrow(FileSource):
    """Arrow's own files and streams, and Feather (version 2); a row's origin is its number in the file, from 1."""

    suffixes = (".arrow", ".feather", ".ipc")

    def read(self, file: File, reading: Reading) -> Iterator[Found]:
        """The rows of one file.

        Raises:
            DataError: It is not an Arrow file.
        """
        with file.open("rb") as raw:
            with readable(file, "Arrow"):
                parts = parts_in(raw)
            yield from rows_of(parts, file, "Arrow")
        reading.advance(file.stat().st_size)


def parts_in(raw: BinaryIO) -> list[tuple[str, int, Part]]:
    """The record batches of a file each for itself; a stream is one part, since its batches are found one by one."""
    import pyarrow

    marked = raw.read(len(MAGIC)) == MAGIC
    raw.seek(0)
    if not marked:
        stream = pyarrow.ipc.open_stream(raw)
        return [("the stream", 0, lambda: iter(stream))]
    table = pyarrow.ipc.open_file(raw)

    def part(number: int) -> Part:
        return lambda: iter([table.get_batch(number)])

    return [(f"record batch {number + 1}", 0, part(number)) for number in range(table.num_record_batches)]
