"""The signatures of all rows: the band keys by which those that may be alike find each other."""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from sevenfold.prepare.dataset import REJECTED
from sevenfold.prepare.overlap.bands import Banding, Signatures, signatures
from sevenfold.prepare.overlap.shingles import signed
from sevenfold.prepare.overlap.words import words_of
from sevenfold.prepare.packing import NO_FIELDS

if TYPE_CHECKING:
    import pyarrow


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
    """The signatures of every row."""

    def __init__(self) -> None:
        self.rows, self.lengths = array("I"), array("I")
        self.parts: list[Signatures] = []

    def add(self, found: Signed) -> None:
        """Put some rows behind those that are here."""
        self.rows.extend(row + len(self.lengths) for row in found.rows)
        self.lengths.extend(found.lengths)
        self.parts.append(found.signatures)

    def signatures(self) -> Signatures:
        """All of them, which are handed over and no longer kept here."""
        import numpy

        if not self.parts:
            return Signatures(numpy.zeros((0, 1), numpy.uint64), numpy.zeros((0, 1), numpy.uint8))
        count, first, start = len(self.rows), self.parts[0], 0
        every = Signatures(
            numpy.empty_like(first.keys, shape=(count, first.keys.shape[1])),
            numpy.empty_like(first.sketches, shape=(count, first.sketches.shape[1])),
        )
        self.parts.reverse()
        while self.parts:
            part = self.parts.pop()
            end = start + len(part.keys)
            every.keys[start:end], every.sketches[start:end] = part
            start = end
        return every
