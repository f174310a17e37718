"""Concatenation: the ranks add, and the result is the weighted sum exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sevenfold.tune.several.combinations import Combination, Combined, Layer

if TYPE_CHECKING:
    import torch


class Concatenate(Combination):
    r"""``A = [A_1; A_2; ...]``, ``B = [w_1 s_1 B_1, w_2 s_2 B_2, ...]``: ``B A`` is ``sum_i w_i s_i B_i A_i``.

    Nothing is lost, and a result of rank 16 + 16 costs what rank 32 costs. Layers that a parent leaves alone are filled
    with zeros, for all layers of the file have one rank. The same as PEFT's ``cat``.
    """

    def combine(self, layer: Layer, generator: torch.Generator) -> Combined:
        """The parents' pairs, one behind the other."""
        import torch

        there = layer.there()
        down = torch.cat([pair.down_RI for pair, _ in there])
        up = torch.cat([weight * pair.scale * pair.up_OR for pair, weight in there], 1)
        return Combined(down, up)
