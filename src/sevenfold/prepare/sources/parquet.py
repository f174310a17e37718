"""Parquet files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sevenfold.errors import DataError
from sevenfold.prepare.sources import FileSource, RawRow, Reading

BATCH = 1000


class Parquet(FileSource):
    """Parquet, read in batches; a row's origin is its number in the file, from 1."""

    suffixes = (".parquet",)

    def read(self, file: Path, reading: Reading) -> Iterator[RawRow]:
        """The rows of one file.

        Raises:
            DataError: It is not a Parquet file.
        """
        import pyarrow
        from pyarrow import parquet

        try:
            with parquet.ParquetFile(file) as table:
                rows = (row for batch in table.iter_batches(batch_size=BATCH) for row in batch.to_pylist())
                for number, values in enumerate(rows, start=1):
                    yield RawRow(values, f"{file}:{number}")
        except pyarrow.ArrowInvalid as error:
            raise DataError(f"the file is not Parquet: {str(error).splitlines()[0]}", where=str(file)) from None
        reading.advance(file.stat().st_size)
