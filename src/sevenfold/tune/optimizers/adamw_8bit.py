"""AdamW whose two moments have 8 bits each (Dettmers et al. 2021, arXiv 2110.02861)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import Field

from sevenfold.errors import RecipeError
from sevenfold.tune.optimizers import FLOAT32, Optimizer

if TYPE_CHECKING:
    import torch

SMALL, BLOCK = 4096, 256
"""Elements below which a parameter keeps float32 moments, and elements that share a scale."""


class AdamW8bit(Optimizer):
    """Moments in blocks of 256, each with its largest value and 8-bit codes of a dynamic map; AdamW otherwise.

    A quarter of AdamW's state. ``paged`` lets a GPU's driver move the state to the machine's memory where the GPU's is
    full; a CPU has nowhere to move it. Needs bitsandbytes.
    """

    beta1: float = Field(0.9, ge=0, lt=1, description="Decay of the mean of gradients.")
    beta2: float = Field(0.999, ge=0, lt=1, description="Decay of the mean of squared gradients.")
    eps: float = Field(1e-8, gt=0, description="Added to the root of the second moment.")
    weight_decay: float = Field(0.0, ge=0, description="Share of a weight taken off per step, times the learning rate.")
    paged: bool = Field(False, description="Let the driver move state out of a GPU that is full.")

    def build(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        """That of bitsandbytes.

        Raises:
            RecipeError: It is not installed, or pages are asked for where there is no GPU.
        """
        from sevenfold.quiet import quiet

        try:
            with quiet():
                from bitsandbytes.optim import AdamW8bit as Plain
                from bitsandbytes.optim import PagedAdamW8bit as Paged
        except ImportError as error:
            raise RecipeError(
                "tune.optimizer adamw_8bit needs bitsandbytes, which is not installed",
                next_step="pip install 'sevenfold[quantised]', or tune.optimizer: adafactor",
            ) from error
        if self.paged and groups[0]["params"][0].device.type == "cpu":
            raise RecipeError(
                "tune.optimizer adamw_8bit: paged moves state from a GPU to the machine's memory, and the weights are "
                "on the CPU",
                next_step="tune.optimizer: adamw_8bit",
            )
        decayed = [{**group, "weight_decay": self.weight_decay if group["matrices"] else 0.0} for group in groups]
        kind = Paged if self.paged else Plain
        made: torch.optim.Optimizer = kind(decayed, lr=0.0, betas=(self.beta1, self.beta2), eps=self.eps)
        return made

    def state_bytes(self, weights: Mapping[str, torch.nn.Parameter]) -> int:
        """Two bytes for an element, two scales for a block, two maps of 256 numbers for a parameter."""
        total = 0
        for weight in weights.values():
            size = weight.numel()
            total += 2 * FLOAT32 * size if size < SMALL else 2 * (size + FLOAT32 * -(-size // BLOCK) + FLOAT32 * 256)
        return total
