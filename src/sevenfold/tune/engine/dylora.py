"""A low-rank change of which a step uses the first rows only, as many as it drew."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sevenfold.tune.engine.lora import LoraLinear


class NestedLinear(LoraLinear):
    """A linear layer with a low-rank change that can be cut at any rank; arguments as of :class:`LoraLinear`.

    Cut rows of A are zeros in the product, not left out: the product's shape is the same in every step, so that
    compiled blocks stay compiled, and a rank is some percent of the layer's work anyway.
    """

    used: Tensor
    moving: Tensor

    def __init__(self, base: nn.Module, rank: int, scale: float, dropout: float = 0.0) -> None:
        super().__init__(base, rank, scale, dropout)
        ones_R = torch.ones_like(self.lora_A.weight[:, 0]).detach()
        self.register_buffer("used", ones_R, persistent=False)
        self.register_buffer("moving", ones_R.clone(), persistent=False)

    def cut(self, rank: int, last_only: bool = False) -> None:
        """Use the first ``rank`` rows of A and columns of B; gradients go to all of them, or to the last one only."""
        places_R = torch.arange(len(self.used), device=self.used.device)
        self.used.copy_(places_R < rank)
        self.moving.copy_(places_R == rank - 1 if last_only else places_R < rank)

    def shorten(self, rank: int) -> None:
        """Leave all rows of A and columns of B out that are not among the first ``rank``."""
        self.lora_A.weight.data = self.lora_A.weight.data[:rank].clone()
        self.lora_B.weight.data = self.lora_B.weight.data[:, :rank].clone()
        self.lora_A.out_features = self.lora_B.in_features = rank
        self.used, self.moving = self.used[:rank].clone(), self.moving[:rank].clone()

    def factors(self) -> tuple[Tensor, Tensor]:
        """The pair with zeros for what is cut."""
        a_RI, b_OR = self.lora_A.weight, self.lora_B.weight
        still_R = self.used - self.moving
        down_RI = a_RI * self.moving[:, None] + a_RI.detach() * still_R[:, None]
        return down_RI, b_OR * self.moving + b_OR.detach() * still_R
