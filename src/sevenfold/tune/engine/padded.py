"""Documents as rows of right-padded rectangles, for networks that cannot read them packed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from sevenfold.tune.engine.passes import Pass

PADDING = 0.25
"""The largest share of a rectangle that may be padding."""

Grouping = Callable[[Sequence[tuple[int, ...]]], list[list[int]]]
"""From documents' sizes to the groups that go through together."""


def rectangles(sizes: Sequence[tuple[int, ...]]) -> list[list[int]]:
    """Groups of similar documents: none is padded by more than :data:`PADDING` of its rectangle.

    Args:
        sizes: The lengths of each document, one for each sequence that it has (two with an encoder).
    """
    groups: list[list[int]] = []
    for index in sorted(range(len(sizes)), key=lambda index: -sum(sizes[index])):
        if groups and padding([sizes[member] for member in (*groups[-1], index)]) <= PADDING:
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups


def one_by_one(sizes: Sequence[tuple[int, ...]]) -> list[list[int]]:
    """Every document by itself."""
    return [[index] for index in range(len(sizes))]


def padding(sizes: Sequence[tuple[int, ...]]) -> float:
    """The share of padding when documents of some sizes go through together."""
    longest = sum(max(lengths) for lengths in zip(*sizes, strict=True))
    return 1 - sum(map(sum, sizes)) / (longest * len(sizes))


def rectangle(rows: Sequence[Tensor], pad: int) -> tuple[Tensor, Tensor | None]:
    """Rows of ids as ``B x L`` with ``pad`` at their right, and the mask of real tokens; None where all are real."""
    ids_BL = nn.utils.rnn.pad_sequence(list(rows), batch_first=True, padding_value=pad)
    lengths = [len(row) for row in rows]
    if min(lengths) == max(lengths):
        return ids_BL, None
    real = torch.tensor(lengths, device=ids_BL.device)[:, None]
    return ids_BL, (torch.arange(max(lengths), device=ids_BL.device) < real).long()


class Padded:
    """Equals the network's plain forward on each document alone.

    Args:
        trunk: The network without its head.
        pad: The id that fills rectangles.
        grouping: Which documents share a rectangle.
    """

    def __init__(self, trunk: Any, pad: int, grouping: Grouping) -> None:
        self.trunk, self.pad, self.grouping = trunk, pad, grouping

    def __call__(self, batch: Pass) -> Tensor:
        """The states from which targets are predicted, ``N x D``."""
        spans = list(pairwise(batch.bounds))
        found: dict[int, Tensor] = {}
        for group in self.grouping([(end - start,) for start, end in spans]):
            rows = [batch.ids_1T[0, slice(*spans[index])] for index in group]
            ids_BL, mask_BL = rectangle(rows, self.pad)
            masked = {} if mask_BL is None else {"attention_mask": mask_BL}
            states_BLD = self.trunk(input_ids=ids_BL, use_cache=False, **masked).last_hidden_state
            for index, row, states_LD in zip(group, rows, states_BLD, strict=True):
                found[index] = states_LD[: len(row)]
        states_TD = torch.cat([found[index] for index in range(len(spans))])
        return states_TD[batch.sources_N]
