"""Operations of a training, and how many a second this machine does."""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING

from sevenfold.setup.plan.work import Work

if TYPE_CHECKING:
    import torch

TRAINING_SHARE = 0.5
"""The share of plain products' rate that training reaches: 0.4 to 0.8 measured on processors."""


def flops(work: Work) -> float:
    """Floating-point operations of the whole training.

    The head is computed for targets only: forward, and the gradient of its input; where it moves also again in the
    backward pass, and the gradient of its weight. Without a backward pass a token costs its forward pass alone, and so
    does one that is read beside what is learnt: before the first step, or in each.
    """
    shape = work.shape
    forward, head = 2 * shape.block_parameters + attention(work), 2 * shape.vocabulary * shape.hidden
    body, heads = (in_blocks(work), 2 if work.adapter else 4) if work.backward else (forward, 1)
    learnt = work.rounds * (work.total_tokens * body + work.total_supervised * heads * head)
    share = work.total_supervised / max(1, work.total_tokens)
    read = (work.forwards * work.total_tokens + work.tokens_before) * (forward + share * head)
    return float(learnt + read + work.operations_beside * work.total_tokens)


def attention(work: Work) -> float:
    """Operations of a token's attention in a forward pass: ``2 M H`` a layer over rows of mean length M."""
    return 2 * work.mean_length * work.shape.hidden * work.shape.layers


def in_blocks(work: Work) -> float:
    """Operations of a token in the blocks, forward and backward.

    A product costs 2 a parameter and token forward; backward 2 more for the gradient of its input and 2 for that of
    its weight, which a frozen one does not need. Attention costs twice as much backward. A block that is computed again
    costs its forward pass once more.
    """
    shape = work.shape
    deep = work.depth / shape.layers
    adapter = work.trainable_parameters if work.adapter else 0
    once = 2 * (shape.block_parameters + adapter) + attention(work)
    body = once * (work.recomputed or 0) / shape.layers + (1 + 2 * deep) * attention(work)
    if work.adapter:
        return body + (2 + 2 * deep) * shape.block_parameters + 6 * adapter
    return body + 6 * shape.block_parameters


@cache
def rate(dtype: torch.dtype, device: str, threads: int) -> float:
    """What :func:`measure_rate` found when this process first asked for so many threads."""
    return measure_rate(dtype, device)


def measure_rate(dtype: torch.dtype, device: str = "cpu", seconds: float = 0.2) -> float:
    """FLOP/s of plain matrix products on this machine, measured.

    Args:
        dtype: The type of the products.
        device: Where they run.
        seconds: How long is measured.
    """
    import torch

    size = 1024
    left, right = (torch.ones(size, size, dtype=dtype, device=device) for _ in range(2))
    (left @ right).sum().item()
    started, count = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        # Reading a number waits for the device.
        (left @ right)[0, 0].item()
        count += 1
    return 2 * size**3 * count / (time.perf_counter() - started)
