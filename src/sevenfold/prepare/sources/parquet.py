"""Parquet files."""

from __future__ import annotations

from collections.abc import Iterator

from sevenfold.prepare.files import File
from sevenfold.prepare.sources import FileSource, RawRow, Reading
from sevenfold.prepare.sources._columnar import BATCH, readable, rows_of


class Parquet(FileSource):
    """Parquet, read in batches; a row's origin is its number in the file, from 1."""

    suffixes = (".parquet",)

    def read(self, file: File, reading: Reading) -> Iterator[RawRow]:
        """The rows of one file.

        Raises:
            DataError: It is not a Parquet file.
        """
        from pyarrow import parquet

        with file.open("rb") as raw:
            with readable(file, "Parquet"):
                batches = parquet.ParquetFile(raw).iter_batches(batch_size=BATCH)
            yield from rows_of(batches, file, "Parquet")
        reading.advance(file.stat().st_size)
