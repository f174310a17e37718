"""How rows fill sequences of one length, beside batches that are padded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

BATCH = 8
"""Rows of a padded batch that packing is compared with."""


def packing(lengths: Sequence[int], limit: int) -> dict[str, Any]:
    """Rows packed one behind the other into sequences of ``limit`` tokens, next-fit in their order.

    Args:
        lengths: Tokens of each sequence, at most ``limit``.
        limit: Tokens of a pack.

    Returns:
        ``packs``, ``rows_per_pack``, ``fill_share`` of the packs' places, and ``padding_share``: the share of places
        that hold nothing in batches of eight rows that are padded to their longest.
    """
    packs, room = 0, 0
    for length in lengths:
        if length > room:
            packs, room = packs + 1, limit
        room -= length
    padded = sum(max(lengths[at : at + BATCH]) * len(lengths[at : at + BATCH]) for at in range(0, len(lengths), BATCH))
    total = sum(lengths)
    return {
        "pack_tokens": limit,
        "packs": packs,
        "rows_per_pack": round(len(lengths) / max(packs, 1), 3),
        "fill_share": round(total / max(packs * limit, 1), 4),
        "padded_batch_rows": BATCH,
        "padding_share": round(1 - total / padded, 4) if padded else 0.0,
    }
