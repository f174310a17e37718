"""Rows on disk: Arrow files that are written in batches and read back without loading them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from sevenfold.prepare.dataset import Row, arrow_schema
from sevenfold.prepare.packing import Drawer, packed, unpacked
from sevenfold.record import writing

if TYPE_CHECKING:
    import pyarrow

BATCH = 1000
"""Rows in a batch: what is in memory at a time."""


@contextmanager
def batch_writer(path: Path) -> Iterator[Callable[[pyarrow.RecordBatch], None]]:
    """A function that adds a batch to an Arrow file, which takes its name when the block ends well.

    Raises:
        MachineError: The folder cannot be written or the disk is full.
    """
    import pyarrow

    with (
        writing(path) as temporary,
        pyarrow.OSFile(str(temporary), "wb") as file,
        pyarrow.ipc.new_file(file, arrow_schema()) as writer,
    ):
        yield writer.write_batch


@contextmanager
def row_writer(path: Path) -> Iterator[Callable[[Row], None]]:
    """A function that adds a row to an Arrow file."""
    waiting: list[Row] = []
    with batch_writer(path) as write:

        def flush() -> None:
            write(packed(waiting))
            waiting.clear()

        def add(row: Row) -> None:
            waiting.append(row)
            if len(waiting) == BATCH:
                flush()

        yield add
        if waiting:
            flush()


def batches(path: Path) -> Iterator[pyarrow.RecordBatch]:
    """The batches of an Arrow file, memory-mapped."""
    import pyarrow

    with pyarrow.memory_map(str(path)) as file, pyarrow.ipc.open_file(file) as reader:
        for number in range(reader.num_record_batches):
            yield reader.get_batch(number)


class Shelf:
    """Rows of an Arrow file by their number, read one at a time from the disk."""

    def __init__(self, path: Path) -> None:
        self.batches = list(batches(path))
        self.starts = [0, *accumulate(batch.num_rows for batch in self.batches)]
        self.drawers = [Drawer(batch) for batch in self.batches]

    def __len__(self) -> int:
        return self.starts[-1]

    def __iter__(self) -> Iterator[Row]:
        for batch in self.batches:
            yield from unpacked(batch)

    def row(self, number: int) -> Row:
        """The row with a number, from 0."""
        place = bisect_right(self.starts, number) - 1
        return self.drawers[place].row(number - self.starts[place])

    def said(self, number: int) -> tuple[list[str], str]:
        """What the messages of the row with a number say, and its fields as they are stored."""
        place = bisect_right(self.starts, number) - 1
        return self.drawers[place].said(number - self.starts[place])

    def origin(self, number: int) -> str:
        """Where the row with a number came from."""
        place = bisect_right(self.starts, number) - 1
        return self.drawers[place].origin(number - self.starts[place])
