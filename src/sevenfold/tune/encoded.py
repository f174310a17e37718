"""Rows as token sequences on disk, memory-mapped: memory does not grow with the number of rows."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np

from sevenfold.chat.ahead import ReadAhead
from sevenfold.chat.encoder import Encoder, TokenSequence
from sevenfold.errors import DataError, ModelError
from sevenfold.prepare.dataset import Row, row_of, stored
from sevenfold.record import write_json
from sevenfold.tune.batches import label_of
from sevenfold.tune.flat import Listing, Numbers, Texts, TextWriter, read_numbers
from sevenfold.tune.section import TuneSection


@dataclass
class Lengths:
    """What encoding did to the rows.

    Args:
        rows: Rows that are learnt from.
        tokens: Their tokens.
        supervised: Their tokens that are targets.
        longest: Tokens of the longest sequence that came in, before anything was cut.
        overlong: How many rows have a sequence over the limit; ``NAME.overlong.json`` lists origin and length.
        unsupervised: How many rows were left out because no target remained; ``NAME.empty.json`` lists origins.
        tasks: Rows that are learnt from, by task, where tasks are told apart.
    """

    rows: int = 0
    tokens: int = 0
    supervised: int = 0
    longest: int = 0
    overlong: int = 0
    unsupervised: int = 0
    tasks: dict[str, int] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path, name: str) -> Lengths:
        """What :func:`encode` gave when it wrote into ``folder``."""
        return cls(**json.loads((folder / f"{name}.lengths.json").read_text(encoding="utf-8")))


class Encoded:
    """Token sequences grouped by row.

    Args:
        folder: Where :func:`encode` wrote them.
        name: The split.
    """

    PARTS: tuple[tuple[str, str], ...] = (
        ("ids", "i"),
        ("weights", "f"),
        ("sequences", "q"),
        ("rows", "q"),
        ("tasks", "q"),
        ("branches", "q"),
        ("branched", "q"),
    )
    """File endings and array types: ids and weights of all tokens, where sequences end, where rows end, the task of
    each sequence, where in their sequences branches begin, and where the branches of each sequence end among these."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self.parts = {part: read_numbers(folder / f"{name}.{part}", kind) for part, kind in self.PARTS}
        self.origins = Texts(folder / f"{name}.origins")
        self.columns = {
            path.name.removeprefix(f"{name}.column."): read_numbers(path, "f")
            for path in sorted(folder.glob(f"{name}.column.*"))
        }

    @cached_property
    def groups(self) -> np.ndarray | None:
        """The number of each row's label, where batches are balanced."""
        path = self.folder / f"{self.name}.groups"
        return read_numbers(path, "q") if path.exists() else None

    @cached_property
    def examples(self) -> Texts:
        """The rows themselves, as JSON; only where the objective makes what is learnt from them."""
        return Texts(self.folder / f"{self.name}.examples")

    def rows(self, indices: Iterable[int]) -> list[Row]:
        """Some rows themselves; none where they are not kept."""
        if not (self.folder / f"{self.name}.examples").exists():
            return []
        return [row_of(json.loads(self.examples[index])) for index in indices]

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
        tokens, branches = self.tokens(number), within(self.parts["branched"], number)
        return TokenSequence(
            self.parts["ids"][tokens].tolist(),
            self.parts["weights"][tokens].tolist(),
            int(self.parts["tasks"][number]),
            tuple(self.parts["branches"][branches].tolist()),
            {name: values[tokens].tolist() for name, values in self.columns.items()},
        )

    def tokens(self, number: int) -> slice:
        """The places of a sequence's tokens among all."""
        return within(self.parts["sequences"], number)

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


def within(ends: np.ndarray, number: int) -> slice:
    """From where the one before ends to where this one does."""
    return slice(int(ends[number - 1]) if number else 0, int(ends[number]))


def encode(rows: Iterable[Row], section: TuneSection, encoder: Encoder, folder: Path, name: str) -> Lengths:
    """Write rows as token sequences into ``folder``.

    Args:
        rows: The rows of a split.
        section: Says the objective, the limit and what to do with longer rows.
        encoder: Turns conversations into tokens.
        folder: Where the files go.
        name: Their first name.

    Returns:
        What was kept, cut and left out; also in ``NAME.lengths.json``.

    Raises:
        DataError: A row is too long and the recipe refuses that.
    """
    with contextlib.ExitStack() as files:
        parts = {part: Numbers(files, folder / f"{name}.{part}", kind) for part, kind in Encoded.PARTS}
        columns = {column: Numbers(files, folder / f"{name}.column.{column}", "f") for column in section.columns}
        groups = Numbers(files, folder / f"{name}.groups", "q") if section.balanced else None
        labels: dict[str, int] = {}
        origins = TextWriter(files, folder / f"{name}.origins")
        examples = TextWriter(files, folder / f"{name}.examples") if section.objective.on_policy else None
        fitting = Fitting(section, ReadAhead(encoder), files, folder, name)
        for row, sequences in fitting.over(rows):
            for sequence in sequences:
                parts["ids"].extend(sequence.ids)
                parts["weights"].extend(sequence.weights)
                parts["sequences"].extend([parts["ids"].count])
                parts["tasks"].extend([sequence.task])
                parts["branches"].extend(sequence.branches)
                parts["branched"].extend([parts["branches"].count])
                for column, numbers in columns.items():
                    numbers.extend(sequence.columns[column])
                fitting.lengths.supervised += sequence.supervised
            parts["rows"].extend([parts["sequences"].count])
            origins.append(row.origin)
            if groups and section.balanced:
                groups.extend([labels.setdefault(label_of(row, section.balanced), len(labels))])
            if examples:
                examples.append(json.dumps(stored(row), ensure_ascii=False))
    lengths = fitting.lengths
    lengths.rows, lengths.tokens = parts["rows"].count, parts["ids"].count
    write_json(folder / f"{name}.lengths.json", asdict(lengths))
    return lengths


class Fitting:
    """Rows to sequences, none longer than the limit; what is cut or left out is counted and listed.

    Args:
        section: Says the objective, the limit and what to do with longer rows.
        encoder: Turns conversations into tokens.
        files: Closes the lists.
        folder: Where the lists go.
        name: Their first name.
    """

    def __init__(
        self, section: TuneSection, encoder: ReadAhead, files: contextlib.ExitStack, folder: Path, name: str
    ) -> None:
        self.section, self.encoder, self.lengths = section, encoder, Lengths()
        self.overlong = Listing(files, folder / f"{name}.overlong.json")
        self.unsupervised = Listing(files, folder / f"{name}.empty.json")

    def over(self, rows: Iterable[Row]) -> Iterator[tuple[Row, list[TokenSequence]]]:
        """The rows that are learnt from, with their sequences."""
        limit, before = self.section.max_length, list[TokenSequence]()
        for row in self.encoder.over(rows):
            sequences = self.sequences(row)
            longest = max((sequence.longest for sequence in sequences), default=0)
            self.lengths.longest = max(self.lengths.longest, longest)
            if longest > limit:
                self.too_long(row, longest)
                if self.section.overlong == "drop":
                    continue
                sequences = [cut(sequence, limit) for sequence in sequences]
            sequences = [sequence for sequence in sequences if sequence.supervised]
            if sequences:
                before = self.section.objective.beside(sequences, before, limit)
                for group in [[one] for one in before] if self.section.objective.each else [before]:
                    self.count(group[0].task)
                    yield row, group
            else:
                self.lengths.unsupervised += 1
                self.unsupervised.append(row.origin)

    def sequences(self, row: Row) -> list[TokenSequence]:
        """What the objective makes of a row.

        Raises:
            ModelError: The chat template refuses it; the row's place is said.
        """
        try:
            return self.section.sequences(row, self.encoder)
        except ModelError as error:
            raise error.at(f"{row.origin}; {error.where}" if error.where else row.origin) from None

    def count(self, task: int) -> None:
        """One more row of a task, where tasks are told apart."""
        routing = self.section.method.routing()
        if routing:
            name = routing.tasks[task]
            self.lengths.tasks[name] = self.lengths.tasks.get(name, 0) + 1

    def too_long(self, row: Row, longest: int) -> None:
        """Count and list a row over the limit.

        Raises:
            DataError: The recipe refuses such rows.
        """
        self.lengths.overlong += 1
        self.overlong.append((row.origin, longest))
        if self.section.overlong == "refuse":
            raise DataError(
                f"a row has {longest} tokens",
                where=row.origin,
                expected=f"at most tune.max_length = {self.section.max_length}",
                next_step="raise tune.max_length, or set tune.overlong to drop or cut",
            )


def cut(sequence: TokenSequence, length: int) -> TokenSequence:
    """The first tokens of a sequence, or of each of its texts; one that loses a whole branch has nothing to learn."""
    if not sequence.branches:
        columns = {name: values[:length] for name, values in sequence.columns.items()}
        return replace(sequence, ids=sequence.ids[:length], weights=sequence.weights[:length], columns=columns)
    first, edges = sequence.branches[0], [*sequence.branches, len(sequence)]
    if first >= length:
        return replace(sequence, weights=[0.0] * len(sequence))
    kept, branches = list(range(first)), []
    for start, end in pairwise(edges):
        branches.append(len(kept))
        kept += range(start, min(end, start + length - first))
    return TokenSequence(
        [sequence.ids[place] for place in kept],
        [sequence.weights[place] for place in kept],
        sequence.task,
        tuple(branches),
        {name: [values[place] for place in kept] for name, values in sequence.columns.items()},
    )
