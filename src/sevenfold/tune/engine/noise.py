"""Random numbers that can be drawn again, and rounding by chance; for one part of a weight at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

PART = 2**20
"""Elements of a weight that are worked on together: what is drawn or rounded never exists for a whole weight."""


def seed(*numbers: int) -> int:
    """A seed that is a function of some whole numbers from 0 on; as many as another seed has."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint32)[0])


def generator(device: torch.device, *numbers: int) -> torch.Generator:
    """Random numbers that are a function of some whole numbers, and of the kind of device."""
    return torch.Generator(device).manual_seed(seed(*numbers))


def parts(weight: Tensor, *others: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """A contiguous weight, and tensors of its shape, in flat parts of at most :data:`PART` elements.

    The weight's are views: what is written into them is written into it.
    """
    flat = [weight.detach().view(-1), *(other.detach().reshape(-1) for other in others)]
    return zip(*(tensor.split(PART) for tensor in flat), strict=True)


def add_normal(weight: Tensor, factor: float, drawn: torch.Generator) -> None:
    """``w += factor * z`` with z drawn from a standard normal distribution, in place."""
    for (part,) in parts(weight):
        part.add_(torch.randn(part.shape, generator=drawn, device=part.device), alpha=factor)


def subtract(weight: Tensor, change: Tensor, factor: float, drawn: torch.Generator) -> None:
    """``w -= factor * change``, computed in float32 and rounded once to the type of w, in place.

    Rounding to bfloat16 goes up or down by chance, so that the mean is exact: steps that are smaller than half the
    distance of two bfloat16 numbers (0.2 % of a weight) would be lost in each rounding to the nearest.
    """
    if weight.dtype == torch.float32:
        weight.sub_(change, alpha=factor)
        return
    for kept, part in parts(weight, change):
        kept.copy_(rounded(kept.float().sub_(part.float(), alpha=factor), drawn))


def rounded(exact: Tensor, drawn: torch.Generator) -> Tensor:
    """A float32 tensor as bfloat16, each value up or down with the chance that makes its mean exact.

    bfloat16 is the upper half of float32's bits: a random lower half is added and then cut off. ``exact`` is used up.
    """
    bits = exact.view(torch.int32)
    bits.add_(torch.randint(0, 2**16, bits.shape, generator=drawn, dtype=torch.int32, device=bits.device))
    bits.bitwise_and_(-(2**16))
    return exact.to(torch.bfloat16)
