"""Arrow and Feather files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

from sevenfold.prepare.files import File
from sevenfold.prepare.sources import FileSource, RawRow, Reading
from sevenfold.prepare.sources._columnar import readable, rows_of

if TYPE_CHECKING:
    import pyarrow

MAGIC = b"ARROW1"
"""How an Arrow file begins; a stream of Arrow messages has no such mark."""


class Arrow(FileSource):
    """Arrow's own files and streams, and Feather (version 2); a row's origin is its number in the file, from 1."""

    suffixes = (".arrow", ".feather", ".ipc")

    def read(self, file: File, reading: Reading) -> Iterator[RawRow]:
        """The rows of one file.

        Raises:
            DataError: It is not an Arrow file.
        """
        with file.open("rb") as raw:
            with readable(file, "Arrow"):
                batches = batches_in(raw)
            yield from rows_of(batches, file, "Arrow")
        reading.advance(file.stat().st_size)


def batches_in(raw: BinaryIO) -> Iterator[pyarrow.RecordBatch]:
    """The record batches of a file or of a stream, one in memory at a time."""
    import pyarrow

    marked = raw.read(len(MAGIC)) == MAGIC
    raw.seek(0)
    if not marked:
        return iter(pyarrow.ipc.open_stream(raw))
    table = pyarrow.ipc.open_file(raw)
    return (table.get_batch(number) for number in range(table.num_record_batches))
