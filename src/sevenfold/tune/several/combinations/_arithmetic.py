"""Task arithmetic with interference taken out: what TIES and DARE do to stacked tensors, parents first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from sevenfold.tune.several.combinations import Combined, Layer
from sevenfold.tune.several.combinations._low_rank import of_change
from sevenfold.tune.several.combinations.linear import factors

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Where = Literal["change", "factors"]
Majority = Literal["total", "frequency"]
Arithmetic = Callable[[Sequence["Tensor"], Sequence[float]], "Tensor"]
"""From the parents' tensors and weights to one tensor."""


def combine(layer: Layer, where: Where, rank: int | None, arithmetic: Arithmetic) -> Combined:
    """Do the arithmetic on the whole changes and cut the result to a rank, or on A and on B apart."""
    if where == "factors":
        ups, downs, root, signed = factors(layer)
        down = arithmetic(downs, signed)
        return Combined(down, arithmetic(ups, root))
    there = layer.there()
    change_OI = arithmetic([pair.change() for pair, _ in there], [weight for _, weight in there])
    return of_change(change_OI, rank or layer.rank)


def trim(tensor: Tensor, density: float) -> Tensor:
    """The largest ``density`` of the values by size; zero elsewhere."""
    import torch

    kept = tensor.abs().flatten().topk(int(density * tensor.numel())).indices
    found = torch.zeros_like(tensor).flatten()
    found[kept] = tensor.flatten()[kept]
    return found.view_as(tensor)


def drop(tensor: Tensor, density: float, generator: torch.Generator) -> Tensor:
    """Each value kept with chance ``density`` and divided by it, so that the mean stays; zero elsewhere."""
    import torch

    kept = torch.bernoulli(torch.full_like(tensor, density), generator=generator)
    return tensor * kept / density


def weighted_sum(tensors: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """``sum_i w_i t_i``."""
    import torch

    return (torch.stack(list(tensors)) * column(weights, tensors[0])).sum(0)


def elect_and_mean(tensors: Sequence[Tensor], weights: Sequence[float], majority: Majority) -> Tensor:
    """The sign that more parents have at a place, by mass or by count, and the mean of the weighted values with it."""
    import torch

    stacked = torch.stack(list(tensors))
    votes = stacked.sum(0) if majority == "total" else stacked.sign().sum(0)
    agree = stacked.sign() == torch.where(votes >= 0, 1, -1)
    return (stacked * column(weights, tensors[0]) * agree).sum(0) / agree.sum(0).clamp(min=1)


def column(weights: Sequence[float], like: Tensor) -> Tensor:
    """Weights as a tensor that multiplies stacked ones."""
    return like.new_tensor(weights).view(-1, *[1] * like.ndim)
