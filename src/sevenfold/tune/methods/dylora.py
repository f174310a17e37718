"""DyLoRA: all ranks of a low-rank change are trained at once (Valipour et al. 2022, arXiv 2210.07558)."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, model_validator

from sevenfold.errors import RecipeError
from sevenfold.tune.adapter_file import write
from sevenfold.tune.methods import Moment
from sevenfold.tune.methods.lora import OF_THE_WEIGHT, Lora, adapters

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

    from sevenfold.tune.engine.lora import LoraLinear

ALL_RANKS = "all_ranks.safetensors"
"""The whole pairs, where PEFT's file has cut ones."""


class Dylora(Lora):
    r"""``y = W x + scale * B_b A_b x`` with the first b rows of A and columns of B, b drawn anew for each step.

    b is uniform from ``smallest`` to ``rank``. So the first rows learn to do alone, and later ones to add to them (as
    in nested dropout, Rippel et al. 2014, arXiv 1402.0915). The trained adapter can be cut at any rank: load it with
    ``rank_used``, and size and cost are those of a LoRA of this rank. One training then answers the question which
    rank is enough. ``scale`` is the same for every b, so that a cut adapter is a truncated one; other fields are those
    of ``lora``.

    A step costs what one of LoRA costs. Rows are used in fewer steps the later they stand, so in as many steps it
    learns less than a LoRA that is trained at the rank at which this one is cut, and much more than a LoRA that is cut
    there. Rows that a step does not use have a gradient of zero in it; AdamW's mean of earlier gradients still moves
    them. With ``last_row_only`` (the paper's frozen variant) a step uses all b and moves the b-th alone: lower ranks
    are not disturbed by higher ones, and all learn more slowly.

    Validation uses the full rank. What is saved is an ordinary LoRA of the rank that is used; where that is a cut one,
    ``all_ranks.safetensors`` beside it keeps the rest.
    """

    smallest: int = Field(1, ge=1, description="Lowest rank that is drawn; below it a cut adapter was never trained.")
    last_row_only: bool = Field(False, description="Of the b rows in a step only the last one moves.")
    rank_used: int | None = Field(
        None, ge=1, description="Rank at which a trained adapter is cut when it is saved and loaded; not given: all."
    )

    @model_validator(mode="after")
    def possible(self) -> Dylora:
        """Refuse ranks over the highest, and starts of which every rank is a part."""
        for name, value in [("smallest", self.smallest), ("rank_used", self.rank_used)]:
            if value is not None and value > self.rank:
                raise RecipeError(
                    f"{name} = {value} is over rank = {self.rank}",
                    where=f"{self.place}.{name}",
                    expected=f"1 to {self.rank}",
                    next_step=f"a lower {name}, or a higher rank",
                )
        if self.init in OF_THE_WEIGHT:
            raise RecipeError(
                f"init: {self.init} begins with a pair of which every step would use another part",
                where=f"{self.place}.init",
                alternatives=["kaiming", "gaussian"],
                next_step=f"init: kaiming; or tune.method: lora, with init: {self.init}",
            )
        return self

    def layer(self, base: torch.nn.Module) -> LoraLinear:
        """The adapted form of a layer."""
        from sevenfold.tune.engine.dylora import NestedLinear

        return NestedLinear(base, self.rank, self.scale, self.dropout)

    def drawn(self, moment: Moment) -> int:
        """The rank of a step."""
        import torch

        return int(torch.randint(self.smallest, self.rank + 1, (), generator=moment.generator()))

    def begin(self, network: PreTrainedModel, moment: Moment) -> None:
        """Draw the step's rank."""
        self.cut(network, self.drawn(moment), self.last_row_only)

    def moved(self, network: PreTrainedModel, moment: Moment) -> None:
        """Use the full rank again, for validation."""
        self.cut(network, self.rank)

    def cut(self, network: PreTrainedModel, rank: int, last_only: bool = False) -> None:
        """Let all layers use their first rows alone."""
        for layer in adapters(network).values():
            layer.cut(rank, last_only)  # type: ignore[operator]

    def save(self, network: PreTrainedModel, folder: Path, base: str) -> None:
        """Write the adapter at the rank that is used as PEFT reads it, and beside a cut one all of it."""
        super().save(network, folder, base)
        layers = adapters(network)
        if any(len(layer.lora_A.weight) > self.kept_rank for layer in layers.values()):
            write(folder / ALL_RANKS, {name: super(Dylora, self).contents(layer) for name, layer in layers.items()})

    @property
    def kept_rank(self) -> int:
        """The rank of what is saved and loaded."""
        return self.rank_used or self.rank

    def contents(self, layer: LoraLinear) -> dict[str, torch.Tensor]:
        """What is written of a layer, by PEFT's names: as many rows as are used."""
        whole = super().contents(layer)
        return {
            "lora_A.weight": whole["lora_A.weight"][: self.kept_rank],
            "lora_B.weight": whole["lora_B.weight"][:, : self.kept_rank],
        }

    def peft_config(self, network: PreTrainedModel, base: str) -> dict[str, Any]:
        """The fields of PEFT's LoraConfig that say what the tensors mean; the scale is that of the full rank."""
        share = self.kept_rank / self.rank
        alpha = self.alpha * (math.sqrt(share) if self.rank_stabilized else share)
        return {**super().peft_config(network, base), "r": self.kept_rank, "lora_alpha": alpha}

    def file(self, folder: Path) -> Path:
        """The file that :meth:`load` reads: the one with all ranks."""
        return folder / ALL_RANKS if (folder / ALL_RANKS).exists() else super().file(folder)

    def fill(self, layer: LoraLinear, kept: dict[str, torch.Tensor]) -> None:
        """Set a new layer to what was saved, and cut it."""
        super().fill(layer, kept)
        layer.shorten(self.kept_rank)  # type: ignore[operator]
