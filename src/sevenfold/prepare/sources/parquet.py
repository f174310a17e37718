"""Parquet files."""

from __future__ import annotations

from collections.abc import Iterator

from sevenfold.prepare.files import File
from sevenfold.prepare.sources import FileSource, Found, Reading
from sevenfold.prepare.sources._columnar import BATCH, Part, readable, rows_of


class Parquet(FileSource):
    """Parquet, read in batches; a broken row group is left out. A row's origin is its number in the file, from 1."""

    suffixes = (".parquet",)

    def read(self, file: File, reading: Reading) -> Iterator[Found]:
        """The rows of one file.

        Raises:
            DataError: It is not a Parquet file.
        """
        from pyarrow import parquet

        with file.open("rb") as raw:
            with readable(file, "Parquet"):
                table = parquet.ParquetFile(raw)
                rows = [table.metadata.row_group(group).num_rows for group in range(table.num_row_groups)]

            def part(group: int) -> Part:
                return lambda: table.iter_batches(batch_size=BATCH, row_groups=[group])

            groups = ((f"row group {group + 1}", count, part(group)) for group, count in enumerate(rows))
            yield from rows_of(groups, file, "Parquet")
        reading.advance(file.stat().st_size)
