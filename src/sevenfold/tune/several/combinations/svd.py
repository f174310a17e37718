"""SVD: the weighted sum of the changes, cut to the best approximation at a rank."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from sevenfold.tune.several.combinations import Combination, Combined, Layer
from sevenfold.tune.several.combinations._low_rank import of_factors

if TYPE_CHECKING:
    import torch


class Svd(Combination):
    r"""The largest singular values of ``sum_i w_i s_i B_i A_i``.

    Exact at the sum of the parents' ranks, the best approximation below it; the share of the squares that is kept is
    said. Parents may differ in rank and layers. The same as PEFT's ``svd``, without ever making the whole weight: a
    layer costs two QR decompositions of its factors and one SVD of a matrix as small as the ranks.
    """

    rank: int | None = Field(None, ge=1, description="Rank of the result; not given: the largest of the parents'.")

    def combine(self, layer: Layer, generator: torch.Generator) -> Combined:
        """The cut sum."""
        import torch

        there = layer.there()
        up = torch.cat([weight * pair.scale * pair.up_OR for pair, weight in there], 1)
        down = torch.cat([pair.down_RI for pair, _ in there])
        return of_factors(up, down, self.rank or layer.rank)
