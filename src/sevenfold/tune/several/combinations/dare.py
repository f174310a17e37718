"""DARE: drop values at random and rescale the rest, then add or elect (Yu et al. 2023, arXiv 2311.03099)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from sevenfold.tune.several.combinations import Combination, Combined, Layer, _arithmetic

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from torch import Tensor


class Dare(Combination):
    r"""``t_i = m_i * change_i / density`` with ``m_i`` drawn as 0 or 1: parents rarely meet at a place.

    Then ``sum_i w_i t_i`` (``sum``), or the election of TIES on them (``ties``). The mean over draws of the sum is the
    plain weighted sum. Such a change has no low rank, so cutting it to one loses much of what was kept; the share is
    said. The same as PEFT's ``dare_linear_svd`` and ``dare_ties_svd``, and on ``factors`` ``dare_linear`` and
    ``dare_ties``.
    """

    density: float = Field(0.5, gt=0, le=1, description="Chance of each value to be kept.")
    then: Literal["sum", "ties"] = Field("sum", description="Add what is kept, or elect signs as TIES does.")
    majority: _arithmetic.Majority = Field("total", description="With ties: the sign wins by mass or by count.")
    on: _arithmetic.Where = Field("change", description="The whole change, cut to a rank; or the factors A and B.")
    rank: int | None = Field(None, ge=1, description="Rank of the result of change; not given: the parents' largest.")

    def combine(self, layer: Layer, generator: torch.Generator) -> Combined:
        """Dropped, rescaled, added."""

        def arithmetic(tensors: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
            left = [_arithmetic.drop(tensor, self.density, generator) for tensor in tensors]
            if self.then == "sum":
                return _arithmetic.weighted_sum(left, weights)
            return _arithmetic.elect_and_mean(left, weights, self.majority)

        return _arithmetic.combine(layer, self.on, self.rank, arithmetic)
