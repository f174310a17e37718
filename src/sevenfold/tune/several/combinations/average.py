"""Average: the mean of the parameters themselves, as soups are made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sevenfold.errors import RecipeError
from sevenfold.tune.several.combinations import Combination, Combined, Layer
from sevenfold.tune.several.combinations.linear import same_rank, sum_of

if TYPE_CHECKING:
    import torch


class Average(Combination):
    r"""``A = sum_i w_i A_i``, ``B = s sum_i w_i B_i`` with the weights divided by their sum.

    AdapterSoup (Chronopoulou et al. 2023, arXiv 2302.07027) averages the parameters of the adapters that are near the
    domain, with equal weights. It has a meaning where all began at the same point, so that they lie in one basin: the
    adapters of one training with the method ``several`` and ``same_start``, or trainings with one seed. Parents of one
    rank, one scale and the same layers only.
    """

    def combine(self, layer: Layer, generator: torch.Generator) -> Combined:
        """The means of the factors."""
        there = layer.there()
        same_rank(layer, there)
        scales = {pair.scale for pair, _ in there}
        total = sum(parent.weight for parent in layer.parents)
        if len(there) < len(layer.parents) or len(scales) > 1 or total <= 0:
            raise RecipeError(
                f"of {len(layer.parents)} adapters {len(there)} change the layer, with scales "
                f"{', '.join(f'{scale:g}' for scale in sorted(scales))} and weights of {total:g} together",
                where=layer.name,
                expected="the same layers and the same alpha in all, and weights whose sum is above zero",
                next_step="--how svd, which takes any adapters",
            )
        weights = [weight / total for _, weight in there]
        down = sum_of([pair.down_RI for pair, _ in there], weights)
        return Combined(down, scales.pop() * sum_of([pair.up_OR for pair, _ in there], weights))
