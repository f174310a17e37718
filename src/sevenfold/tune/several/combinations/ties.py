"""TIES: trim, elect a sign, and take the mean of those that agree (Yadav et al. 2023, arXiv 2306.01708)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from sevenfold.tune.several.combinations import Combination, Combined, Layer, _arithmetic

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from torch import Tensor


class Ties(Combination):
    r"""Each parent keeps its largest values; at each place the sign with more mass wins, and only its values are meant.

    ``mean over {i: sign(t_i) = g} of w_i t_i``, ``g = sign(sum_i t_i)``, with ``t_i`` the trimmed change of a layer. A
    mean, not a sum: weights of 1 keep the size of one parent's change, larger weights are the paper's lambda. On
    ``change`` the whole weight of one layer is made and its SVD taken, seconds a layer for wide networks; ``factors``
    works on A and B apart, which is cheap and further from the paper. The same as PEFT's ``ties_svd`` and ``ties``.
    """

    density: float = Field(0.2, gt=0, le=1, description="Share of each parent's values that is kept, the largest.")
    majority: _arithmetic.Majority = Field("total", description="The sign wins by mass (total) or by count.")
    on: _arithmetic.Where = Field("change", description="The whole change, cut to a rank; or the factors A and B.")
    rank: int | None = Field(None, ge=1, description="Rank of the result of change; not given: the parents' largest.")

    def combine(self, layer: Layer, generator: torch.Generator) -> Combined:
        """Trimmed, elected, averaged."""

        def arithmetic(tensors: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
            trimmed = [_arithmetic.trim(tensor, self.density) for tensor in tensors]
            return _arithmetic.elect_and_mean(trimmed, weights, self.majority)

        return _arithmetic.combine(layer, self.on, self.rank, arithmetic)
