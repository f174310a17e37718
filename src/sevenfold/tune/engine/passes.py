"""Sequences side by side in one row without padding, each its own document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sevenfold.chat.encoder import TokenSequence


@dataclass
class Pass:
    """What goes through the network at once.

    A document is one span of tokens, or a stem and its branches: spans that each continue the stem as if the others
    were not there, so what answers share is read once.

    Args:
        ids_1T: Token ids of all documents, one behind the other.
        positions_1T: Position of each token in its own text.
        bounds: Where spans begin, and the end: ``S + 1`` numbers from 0 to T.
        sources_N: Index in T of the token from whose state each target is predicted.
        labels_N: The id of each target.
        weights_N: The weight of each target in the loss, float32.
        tasks: The number of each span's task, those of one task together; empty: nobody knows.
        stems: For each span the number of the span that it continues, -1: none; empty: there are no branches.
        branches_N: The number of the text that each target is of: a document's, or one of its branches'.
        branches: How many texts there are.
        columns: Figures of each target that the objective reads, by name, ``N``, float32.
    """

    ids_1T: Tensor
    positions_1T: Tensor
    bounds: list[int]
    sources_N: Tensor
    labels_N: Tensor
    weights_N: Tensor
    tasks: list[int] = field(default_factory=list)
    stems: list[int] = field(default_factory=list)
    branches_N: Tensor = field(default_factory=lambda: torch.empty(0, dtype=torch.long))
    branches: int = 0
    columns: dict[str, Tensor] = field(default_factory=dict)

    @property
    def tokens(self) -> int:
        """Real tokens; there are no others."""
        return self.bounds[-1]

    @property
    def weight(self) -> float:
        """The sum of the targets' weights."""
        return float(self.weights_N.sum())

    @property
    def spans(self) -> list[list[int]]:
        """For each span where it begins and ends, and where its stem does (nowhere: 0, 0)."""
        own = [list(span) for span in pairwise(self.bounds)]
        return [[*span, *(own[stem] if stem >= 0 else (0, 0))] for span, stem in zip(own, self.of_stems(), strict=True)]

    def of_stems(self) -> list[int]:
        """:attr:`stems`, also where there are none."""
        return self.stems or [-1] * (len(self.bounds) - 1)

    def to(self, device: str) -> Pass:
        """The same pass on a device."""
        moved: dict[str, Any] = {
            name: value.to(device) for name, value in vars(self).items() if isinstance(value, Tensor)
        }
        return replace(self, **moved, columns={name: value.to(device) for name, value in self.columns.items()})

    def per_branch(self, values_N: Tensor) -> Tensor:
        """The sum of the targets' values in each text."""
        sums: Tensor = values_N.new_zeros(self.branches).index_add(0, self.branches_N.to(values_N.device), values_N)
        return sums

    def of_branch(self, column: str) -> Tensor:
        """What a column says at the first target of each text, 0 where a text has none."""
        values_N, branches_N = self.columns[column], self.branches_N
        # The last write wins, so targets are written from the last to the first.
        found = values_N.new_zeros(self.branches)
        for branch, value in zip(branches_N.flip(0).tolist(), values_N.flip(0), strict=True):
            found[branch] = value
        return found


def pack(sequences: Sequence[TokenSequence], here: bool = False) -> Pass:
    """Lay documents side by side, those of one task together, in order otherwise.

    A token is a target when its weight is above zero.

    Args:
        sequences: The documents.
        here: Predict a target from its own token's state; otherwise from the token before it, and a document's first
            token is none. The token before a branch's first is the stem's last, so no prediction crosses a border.
    """
    sequences = sorted(sequences, key=lambda sequence: sequence.task)
    spans = Spans(sequences)
    ids = np.concatenate([np.asarray(sequence.ids, dtype=np.int64) for sequence in sequences])
    weights = np.concatenate([np.asarray(sequence.weights, dtype=np.float32) for sequence in sequences])
    if not here:
        weights[[start for start, stem in zip(spans.bounds, spans.stems, strict=False) if stem < 0]] = 0.0
    targets = np.flatnonzero(weights)
    sources = targets if here else spans.before[targets]
    return Pass(
        ids_1T=torch.from_numpy(ids)[None],
        positions_1T=torch.from_numpy(spans.positions)[None],
        bounds=spans.bounds,
        sources_N=torch.from_numpy(sources),
        labels_N=torch.from_numpy(ids[targets]),
        weights_N=torch.from_numpy(weights[targets]),
        tasks=spans.tasks,
        stems=spans.stems if max(spans.stems, default=-1) >= 0 else [],
        branches_N=torch.from_numpy(spans.texts[targets]),
        branches=spans.count,
        columns={
            name: torch.from_numpy(np.concatenate([np.asarray(one.columns[name], np.float32) for one in sequences]))[
                targets
            ]
            for name in (sequences[0].columns if sequences else ())
        },
    )


class Spans:
    """How documents lie: their spans, and for each token its position, the token before it and its text's number.

    Args:
        sequences: The documents in order.
    """

    def __init__(self, sequences: Sequence[TokenSequence]) -> None:
        self.bounds, self.stems, self.tasks, self.count = [0], list[int](), list[int](), 0
        positions, before, texts = [], [], []
        for sequence in sequences:
            stem_at, stem, length = len(self.stems), self.bounds[-1], len(sequence)
            edges = [*sequence.branches, length]
            first = edges[0]
            if first:
                self.add(stem + first, -1, sequence.task)
            positions.append(np.arange(length))
            before.append(np.arange(stem - 1, stem + length - 1))
            texts.append(np.full(length, self.count))
            for number, (start, end) in enumerate(pairwise(edges)):
                self.add(stem + end, stem_at if first else -1, sequence.task)
                positions[-1][start:end] = np.arange(first, first + end - start)
                before[-1][start] = stem + first - 1
                texts[-1][start:end] = self.count + number
            self.count += max(1, len(sequence.branches))
        self.positions, self.before, self.texts = (np.concatenate(part) for part in (positions, before, texts))

    def add(self, end: int, stem: int, task: int) -> None:
        """One more span."""
        self.bounds.append(end)
        self.stems.append(stem)
        self.tasks.append(task)


def unrolled(batch: Pass) -> Pass:
    """The same targets in documents without branches: each text whole, its stem repeated.

    It is for networks that cannot read branches; targets keep their order.
    """
    if not batch.stems:
        return batch
    spans, inner = list(pairwise(batch.bounds)), set(batch.stems)
    texts = [number for number in range(len(spans)) if number not in inner]
    pieces, starts = [], [0]
    moved_N = torch.empty_like(batch.sources_N)
    for place, number in enumerate(texts):
        (start, end), stem = spans[number], batch.stems[number]
        low, high = spans[stem] if stem >= 0 else (start, start)
        own_N = batch.branches_N == place
        sources = batch.sources_N[own_N]
        shifts = torch.where((sources >= low) & (sources < high), starts[-1] - low, starts[-1] + high - low - start)
        moved_N[own_N] = sources + shifts
        pieces.append(torch.cat([batch.ids_1T[:, low:high], batch.ids_1T[:, start:end]], 1))
        starts.append(starts[-1] + pieces[-1].shape[1])
    positions = [torch.arange(piece.shape[1], device=batch.ids_1T.device) for piece in pieces]
    return replace(
        batch,
        ids_1T=torch.cat(pieces, 1),
        positions_1T=torch.cat(positions)[None],
        bounds=starts,
        sources_N=moved_N,
        tasks=[batch.tasks[number] for number in texts] if batch.tasks else [],
        stems=[],
    )


def joined(batch: Sequence[Pass]) -> Pass:
    """Several passes as one, for losses over all of a step's targets."""
    if len(batch) == 1:
        return batch[0]
    tokens = list(accumulate((part.tokens for part in batch), initial=0))
    spans = list(accumulate((len(part.bounds) - 1 for part in batch), initial=0))
    texts = list(accumulate((part.branches for part in batch), initial=0))
    stems = [
        stem + before if stem >= 0 else -1
        for part, before in zip(batch, spans, strict=False)
        for stem in part.of_stems()
    ]
    return Pass(
        ids_1T=torch.cat([part.ids_1T for part in batch], 1),
        positions_1T=torch.cat([part.positions_1T for part in batch], 1),
        bounds=[0, *(bound + before for part, before in zip(batch, tokens, strict=False) for bound in part.bounds[1:])],
        sources_N=torch.cat([part.sources_N + before for part, before in zip(batch, tokens, strict=False)]),
        labels_N=torch.cat([part.labels_N for part in batch]),
        weights_N=torch.cat([part.weights_N for part in batch]),
        tasks=[task for part in batch for task in part.tasks],
        stems=stems if max(stems) >= 0 else [],
        branches_N=torch.cat([part.branches_N + before for part, before in zip(batch, texts, strict=False)]),
        branches=texts[-1],
        columns={name: torch.cat([part.columns[name] for part in batch]) for name in batch[0].columns},
    )


def split(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Which sequences go through together: the fewest passes of at most ``budget`` tokens, about equally full.

    The longest sequence goes first, each into the emptiest pass; one more pass is taken when that overfills one. A
    sequence over the budget goes alone. Equal passes need the least memory, and the result depends on nothing else.
    """
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    for count in range(max(1, -(-sum(lengths) // budget)), len(lengths) + 1):
        groups: list[list[int]] = [[] for _ in range(count)]
        loads = [0] * count
        for index in order:
            emptiest = loads.index(min(loads))
            groups[emptiest].append(index)
            loads[emptiest] += lengths[index]
        if all(load <= budget or len(group) == 1 for load, group in zip(loads, groups, strict=True)):
            return [sorted(group) for group in groups]
    return [[index] for index in range(len(lengths))]


def passes(sequences: Sequence[TokenSequence], budget: int, here: bool = False) -> list[Pass]:
    """The passes of one optimiser step; see :func:`pack` for ``here``."""
    groups = split([len(sequence) for sequence in sequences], budget)
    return [pack([sequences[index] for index in group], here) for group in groups]
