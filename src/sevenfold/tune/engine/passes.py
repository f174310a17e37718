"""Sequences side by side in one row without padding, each its own document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from sevenfold.chat.encoder import TokenSequence


@dataclass
class Pass:
    """What goes through the network at once.

    Args:
        ids_1T: Token ids of all documents, one behind the other.
        positions_1T: Position of each token in its own document.
        bounds: Where documents begin, and the end: ``D + 1`` numbers from 0 to T.
        sources_N: Index in T of the token behind which each target is predicted.
        labels_N: The id of each target.
        weights_N: The weight of each target in the loss, float32.
        tasks: The number of each document's task, documents of one task together; empty: nobody knows.
    """

    ids_1T: Tensor
    positions_1T: Tensor
    bounds: list[int]
    sources_N: Tensor
    labels_N: Tensor
    weights_N: Tensor
    tasks: list[int] = field(default_factory=list)

    @property
    def tokens(self) -> int:
        """Real tokens; there are no others."""
        return self.bounds[-1]

    @property
    def weight(self) -> float:
        """The sum of the targets' weights."""
        return float(self.weights_N.sum())

    def to(self, device: str) -> Pass:
        """The same pass on a device."""
        moved = {name: value.to(device) for name, value in vars(self).items() if isinstance(value, Tensor)}
        return Pass(bounds=self.bounds, tasks=self.tasks, **moved)


def pack(sequences: Sequence[TokenSequence]) -> Pass:
    """Lay documents side by side, those of one task together, in order otherwise.

    A token is a target when its weight is above zero and it is not its document's first; it is predicted from the
    token before it, so no prediction crosses a border.
    """
    sequences = sorted(sequences, key=lambda sequence: sequence.task)
    lengths = [len(sequence) for sequence in sequences]
    bounds = [0, *np.cumsum(lengths).tolist()]
    ids = np.concatenate([np.asarray(sequence.ids, dtype=np.int64) for sequence in sequences])
    weights = np.concatenate([np.asarray(sequence.weights, dtype=np.float32) for sequence in sequences])
    weights[bounds[:-1]] = 0.0
    targets = np.flatnonzero(weights)
    return Pass(
        ids_1T=torch.from_numpy(ids)[None],
        positions_1T=torch.cat([torch.arange(length) for length in lengths])[None],
        bounds=bounds,
        sources_N=torch.from_numpy(targets - 1),
        labels_N=torch.from_numpy(ids[targets]),
        weights_N=torch.from_numpy(weights[targets]),
        tasks=[sequence.task for sequence in sequences],
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


def passes(sequences: Sequence[TokenSequence], budget: int) -> list[Pass]:
    """The passes of one optimiser step."""
    groups = split([len(sequence) for sequence in sequences], budget)
    return [pack([sequences[index] for index in group]) for group in groups]
