"""The signatures of all rows: the band keys by which those that may be alike find each other."""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from sevenfold.disk import machine_error
from sevenfold.prepare.dataset import REJECTED
from sevenfold.prepare.overlap.bands import Banding, Signatures, signatures
from sevenfold.prepare.overlap.shingles import signed
from sevenfold.prepare.overlap.words import words_of
from sevenfold.prepare.packing import NO_FIELDS

if TYPE_CHECKING:
    import pyarrow

SCRATCH = ".signatures-{}"


def joined(contents: list[str], fields: str) -> str:
    """All that a row says: its messages, and a rejected answer among its fields as they are stored."""
    return "\n".join([*contents, "" if fields == NO_FIELDS else json.loads(fields).get(REJECTED, "")])


def wholes(batch: pyarrow.RecordBatch) -> list[str]:
    """All that each row of a batch says; without making the rows."""
    messages = batch.column("messages")
    contents = messages.flatten().field("content").to_pylist()
    ends = list(accumulate(messages.value_lengths().to_pylist(), initial=0))
    fields = batch.column("fields").to_pylist()
    return [joined(contents[start:end], text) for start, end, text in zip(ends, ends[1:], fields, strict=False)]


@dataclass
class Signed:
    """The signatures of some rows; a row near the border between characters and words has two.

    Args:
        rows: The row of each signature, counted from the first of these.
        lengths: The characters of each row's words.
        signatures: By which the rows find each other.
    """

    rows: array[int]
    lengths: array[int]
    signatures: Signatures


@dataclass(frozen=True)
class Sign:
    """The job: batches of rows are signed.

    Args:
        cut: How signatures are cut.
        threshold: From which similarity rows are alike.
    """

    cut: Banding
    threshold: float

    def start(self) -> Callable[[pyarrow.RecordBatch], Signed]:
        """Sign each batch by itself."""
        return self.sign

    def sign(self, batch: pyarrow.RecordBatch) -> Signed:
        """One batch."""
        texts = list(map(words_of, wholes(batch)))
        rows, shingles = signed(texts, self.threshold)
        lengths = array("I", (sum(map(len, words)) for words in texts))
        return Signed(array("I", rows), lengths, signatures(shingles, self.cut))


class SignedRows:
    """The signatures of every row, on the disk; of each row 8 bytes are in memory.

    Args:
        folder: Where they lie until the block ends.
    """

    def __init__(self, folder: Path) -> None:
        self.rows, self.lengths = array("I"), array("I")
        self.shapes: tuple[int, int] = (1, 1)
        self.paths = [folder / SCRATCH.format(part) for part in Signatures._fields]

    def __enter__(self) -> SignedRows:
        self.files = [path.open("wb") for path in self.paths]
        return self

    def __exit__(self, *_: object) -> None:
        for file, path in zip(self.files, self.paths, strict=True):
            file.close()
            path.unlink(missing_ok=True)

    def add(self, found: Signed) -> None:
        """Put some rows behind those that are here.

        Raises:
            MachineError: The disk is full.
        """
        self.rows.extend(row + len(self.lengths) for row in found.rows)
        self.lengths.extend(found.lengths)
        self.shapes = found.signatures.keys.shape[1], found.signatures.sketches.shape[1]
        parts = found.signatures.keys.tobytes(), found.signatures.sketches.tobytes()
        for file, path, part in zip(self.files, self.paths, parts, strict=True):
            try:
                file.write(part)
            except OSError as error:
                raise machine_error(error, path) from error

    def signatures(self) -> Signatures:
        """All of them, as they lie on the disk."""
        import numpy

        if not self.rows:
            return Signatures(numpy.zeros((0, 1), numpy.uint64), numpy.zeros((0, 1), numpy.uint8))
        for file in self.files:
            file.flush()
        keys, sketches = ((len(self.rows), width) for width in self.shapes)
        return Signatures(
            numpy.memmap(self.paths[0], numpy.uint64, "r", shape=keys),
            numpy.memmap(self.paths[1], numpy.uint8, "r", shape=sketches),
        )
