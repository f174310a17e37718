"""Rows as token sequences on disk, memory-mapped: memory does not grow with the number of rows."""

from __future__ import annotations

import contextlib
import json
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from sevenfold.chat.encoder import Encoder, TokenSequence
from sevenfold.errors import DataError, ModelError
from sevenfold.prepare.dataset import Row
from sevenfold.record import write_json, writing
from sevenfold.tune.section import TuneSection


@dataclass
class Lengths:
    """What encoding did to the rows.

    Args:
        rows: Rows that are learnt from.
        tokens: Their tokens.
        supervised: Their tokens that are targets.
        longest: Tokens of the longest sequence that came in, before anything was cut.
        overlong: Origins of rows with a sequence over the limit, with its length.
        unsupervised: Origins of rows left out because no target remained.
    """

    rows: int = 0
    tokens: int = 0
    supervised: int = 0
    longest: int = 0
    overlong: list[tuple[str, int]] = field(default_factory=list)
    unsupervised: list[str] = field(default_factory=list)


class Encoded:
    """Token sequences grouped by row.

    Args:
        folder: Where :func:`encode` wrote them.
        name: The split.
    """

    PARTS: tuple[tuple[str, str], ...] = (("ids", "i"), ("weights", "f"), ("sequences", "q"), ("rows", "q"))
    """File endings and array types: ids and weights of all tokens, where sequences end, where rows end."""

    def __init__(self, folder: Path, name: str) -> None:
        self.parts = {part: read_array(folder / f"{name}.{part}", kind) for part, kind in self.PARTS}
        self.origins: list[str] = json.loads((folder / f"{name}.origins.json").read_text(encoding="utf-8"))

    def __len__(self) -> int:
        return len(self.parts["rows"])

    def numbers(self, index: int) -> range:
        """The places of a row's sequences among all."""
        ends = self.parts["rows"]
        return range(int(ends[index - 1]) if index else 0, int(ends[index]))

    def row(self, index: int) -> list[TokenSequence]:
        """The sequences of a row."""
        return [self.sequence(number) for number in self.numbers(index)]

    def sequence(self, number: int) -> TokenSequence:
        """A sequence by its place among all."""
        ends = self.parts["sequences"]
        tokens = slice(int(ends[number - 1]) if number else 0, int(ends[number]))
        return TokenSequence(self.parts["ids"][tokens].tolist(), self.parts["weights"][tokens].tolist())

    @cached_property
    def lengths(self) -> np.ndarray:
        """Tokens of every sequence."""
        return np.diff(self.parts["sequences"], prepend=0)

    @property
    def supervised(self) -> int:
        """Targets of all sequences together."""
        return int(np.count_nonzero(self.parts["weights"]))

    def row_lengths(self, index: int) -> list[int]:
        """Tokens of each sequence of a row."""
        return [int(self.lengths[number]) for number in self.numbers(index)]

    def sequences(self, indices: Iterable[int]) -> list[TokenSequence]:
        """The sequences of some rows, in the order of the rows."""
        return [sequence for index in indices for sequence in self.row(index)]


def read_array(path: Path, kind: str) -> np.ndarray:
    """A flat file of numbers as a memory-mapped array; an empty file is an empty array."""
    dtype = np.dtype(kind)
    return np.memmap(path, dtype=dtype, mode="r") if path.stat().st_size else np.empty(0, dtype)


def encode(rows: Iterable[Row], section: TuneSection, encoder: Encoder, folder: Path, name: str) -> Lengths:
    """Write rows as token sequences into ``folder``.

    Args:
        rows: The rows of a split.
        section: Says the objective, the limit and what to do with longer rows.
        encoder: Turns conversations into tokens.
        folder: Where the files go.
        name: Their first name.

    Returns:
        What was kept, cut and left out.

    Raises:
        DataError: No row remains, or a row is too long and the recipe refuses that.
    """
    lengths = Lengths()
    origins: list[str] = []
    with contextlib.ExitStack() as open_files:
        parts = {part: Part(open_files, folder / f"{name}.{part}", kind) for part, kind in Encoded.PARTS}
        for row, sequences in fitted(rows, section, encoder, lengths):
            for sequence in sequences:
                parts["ids"].extend(sequence.ids)
                parts["weights"].extend(sequence.weights)
                parts["sequences"].extend([parts["ids"].count])
                lengths.supervised += sequence.supervised
            parts["rows"].extend([parts["sequences"].count])
            origins.append(row.origin)
        lengths.rows, lengths.tokens = len(origins), parts["ids"].count
    write_json(folder / f"{name}.origins.json", origins)
    return lengths


class Part:
    """A flat file of numbers that grows; it takes its name when ``open_files`` closes well.

    Args:
        open_files: Closes the file.
        path: The file.
        kind: The numbers' type, a code of :mod:`array`.
    """

    def __init__(self, open_files: contextlib.ExitStack, path: Path, kind: str) -> None:
        temporary = open_files.enter_context(writing(path))
        self.file = open_files.enter_context(temporary.open("wb"))
        self.kind, self.count = kind, 0

    def extend(self, values: Sequence[float]) -> None:
        """Append numbers."""
        array(self.kind, values).tofile(self.file)
        self.count += len(values)


def fitted(
    rows: Iterable[Row], section: TuneSection, encoder: Encoder, lengths: Lengths
) -> Iterator[tuple[Row, list[TokenSequence]]]:
    """Rows with their sequences, none longer than the limit; what is cut or left out is counted."""
    for row in rows:
        try:
            sequences = section.objective.sequences(row.conversation, encoder)
        except ModelError as error:
            raise error.at(f"{row.origin}; {error.where}" if error.where else row.origin) from None
        longest = max((len(sequence) for sequence in sequences), default=0)
        lengths.longest = max(lengths.longest, longest)
        if longest > section.max_length:
            lengths.overlong.append((row.origin, longest))
            if section.overlong == "drop":
                continue
            if section.overlong == "refuse":
                raise DataError(
                    f"a row has {longest} tokens",
                    where=row.origin,
                    expected=f"at most tune.max_length = {section.max_length}",
                    next_step="raise tune.max_length, or set tune.overlong to drop or cut",
                )
            sequences = [cut(sequence, section.max_length) for sequence in sequences]
        sequences = [sequence for sequence in sequences if sequence.supervised]
        if sequences:
            yield row, sequences
        else:
            lengths.unsupervised.append(row.origin)


def cut(sequence: TokenSequence, length: int) -> TokenSequence:
    """The first tokens of a sequence."""
    return TokenSequence(sequence.ids[:length], sequence.weights[:length])
