"""A pass as a network reads it that knows nothing of virtual tokens."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import torch

from sevenfold.tune.engine.passes import Pass


def unled(batch: Pass, vocabulary: int) -> Pass:
    """The same targets without the virtual tokens that stand before every document.

    Args:
        batch: No target is predicted from a virtual token.
        vocabulary: Ids from here on are virtual.
    """
    kept_T = batch.ids_1T[0] < vocabulary
    if bool(kept_T.all()):
        return batch
    before_T = torch.cumsum(kept_T, 0) - kept_T.long()
    starts = [*before_T.tolist(), int(kept_T.sum())]
    positions_T = batch.positions_1T[0].clone()
    lost = [int((~kept_T[start:end]).sum()) for start, end in pairwise(batch.bounds)]
    for (start, end), own, stem in zip(pairwise(batch.bounds), lost, batch.of_stems(), strict=True):
        positions_T[start:end] -= own + (lost[stem] if stem >= 0 else 0)
    return replace(
        batch,
        ids_1T=batch.ids_1T[:, kept_T],
        positions_1T=positions_T[kept_T][None],
        bounds=[starts[bound] for bound in batch.bounds],
        sources_N=before_T[batch.sources_N],
    )
