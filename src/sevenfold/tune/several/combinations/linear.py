"""Linear: weighted sums of A and of B, at the parents' rank; cheap, and no sum of the changes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sevenfold.errors import RecipeError
from sevenfold.tune.several.combinations import Combination, Combined, Layer

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from sevenfold.tune.several.files import Pair


class Linear(Combination):
    r"""``A = sum_i sign(w_i) sqrt(abs(w_i) s_i) A_i``, ``B = sum_i sqrt(abs(w_i) s_i) B_i``.

    With one parent it is the weighted change itself; with several, ``B A`` also has the products of one parent's B with
    another's A, which no training has seen. Parents of one rank only. The same as PEFT's ``linear``.
    """

    def combine(self, layer: Layer, generator: torch.Generator) -> Combined:
        """The sums of the factors."""
        ups, downs, root, signed = factors(layer)
        up = sum_of(ups, root)
        down = sum_of(downs, signed)
        return Combined(down, up)


def sum_of(tensors: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """A weighted sum."""
    import torch

    return torch.stack([weight * tensor for tensor, weight in zip(tensors, weights, strict=True)]).sum(0)


def factors(layer: Layer) -> tuple[list[Tensor], list[Tensor], list[float], list[float]]:
    """All B and all A of a layer, and the weights of each: the root of what the change counts, signed for A.

    Raises:
        RecipeError: The parents' ranks differ.
    """
    there = layer.there()
    same_rank(layer, there)
    counts = [weight * pair.scale for pair, weight in there]
    root = [math.sqrt(abs(count)) for count in counts]
    signed = [math.copysign(r, count) for r, count in zip(root, counts, strict=True)]
    return [pair.up_OR for pair, _ in there], [pair.down_RI for pair, _ in there], root, signed


def same_rank(layer: Layer, there: Sequence[tuple[Pair, float]]) -> None:
    """Refuse pairs of different ranks.

    Raises:
        RecipeError: They differ.
    """
    ranks = [pair.rank for pair, _ in there]
    if len(set(ranks)) > 1:
        raise RecipeError(
            f"the adapters have ranks {', '.join(map(str, ranks))}: their A and B cannot be added",
            where=layer.name,
            expected="one rank",
            next_step="--how svd or --how concatenate, which take any ranks",
        )
