"""LoRA: a low-rank change beside every frozen linear layer (Hu et al. 2021, arXiv 2106.09685)."""

from __future__ import annotations

import json
import math
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from sevenfold.errors import ModelError, RecipeError
from sevenfold.kind import peft_task
from sevenfold.tune.adapter_file import ADAPTER_FILE, put, saved, write
from sevenfold.tune.methods import METHODS, Method

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

    from sevenfold.tune.engine.lora import LoraLinear

OF_THE_WEIGHT = ("pissa", "olora")
"""Starts that are a part of the weight itself."""


class Lora(Method):
    r"""``y = W x + scale * B A x`` with :math:`A_{RI}` drawn at random, :math:`B_{OR}` zero at the start.

    ``scale`` is ``alpha / rank``, or ``alpha / sqrt(rank)`` with ``rank_stabilized`` (rsLoRA, Kalajdzievski 2023,
    arXiv 2312.03732). The base is frozen at the run's precision; A and B are float32. With ``rate_ratio`` B learns so
    many times faster than A (LoRA+, Hayou et al. 2024, arXiv 2402.12354, where 16 is the advice).

    ``init: pissa`` begins with the directions in which the weight is largest (Meng et al. 2024, arXiv 2404.02948),
    ``init: olora`` with an orthonormal B (Büyükakyüz 2024, arXiv 2406.01775). Both papers take the start
    :math:`B_0 A_0` off the base. Here the base stays whole, and the change is :math:`B A - B_0 A_0`: gradients are the
    same, the start is exact, ``unload`` gives the base bit for bit, and what is saved is an ordinary LoRA of twice the
    rank that loads on the original base. It costs a second pair of rank-sized products.

    ``first`` and ``last`` keep the change to some blocks. With ``last`` alone what lies below is frozen: no gradient
    goes there, and rows that come again skip it (``tune.engine.trunk_cache``).

    ``dropout`` leaves out inputs of A; layers that read one input share the choice. It costs a pass over the input, and
    a byte an element until the backward pass. It is drawn from torch's generator, which checkpoints keep.
    """

    adapter: ClassVar[bool] = True
    rank: int = Field(16, ge=1, description="Rank of the change; higher learns more and costs more.")
    alpha: float = Field(32.0, gt=0, description="The change is scaled by alpha / rank.")
    targets: list[str] = Field(
        default=["all-linear"],
        description="Last parts of the names of linear layers, or patterns of whole names in which * stands for "
        "anything; all-linear: all but the head.",
    )
    first: int = Field(0, ge=0, description="Blocks with a change, counted from the embeddings; first and last 0: all.")
    last: int = Field(0, ge=0, description="Blocks with a change, counted from the head; first and last 0: all.")
    rank_stabilized: bool = Field(False, description="Scale by alpha / sqrt(rank) instead (rsLoRA).")
    init: Literal["kaiming", "gaussian", "pissa", "olora"] = Field(
        "kaiming",
        description="Where the pair begins: A uniform or normal and B zero; the weight's principal directions; or an "
        "orthonormal B.",
    )
    pissa_iterations: int | None = Field(
        16, ge=0, description="Power iterations of the randomised decomposition; null: the whole one, slower."
    )
    rate_ratio: float = Field(1.0, gt=0, description="B's learning rate, in times of A's (LoRA+).")
    dropout: float = Field(0.0, ge=0, lt=1, description="Share of the inputs of A left out in each pass of training.")

    @property
    def scale(self) -> float:
        """The factor of the low-rank change."""
        return self.alpha / (math.sqrt(self.rank) if self.rank_stabilized else self.rank)

    @property
    def place(self) -> str:
        """Where the recipe has the method's fields."""
        return f"tune.method.{METHODS.name_of(self)}"

    @property
    def doubled(self) -> bool:
        """Whether the pair of what is saved has twice the rank: what moved, beside where it began."""
        return self.init in OF_THE_WEIGHT

    def weights_dtype(self, precision: torch.dtype) -> torch.dtype:
        """The run's precision: frozen weights need no more."""
        return precision

    def attach(self, network: PreTrainedModel) -> None:
        """Freeze the base and put a trainable pair beside each target."""
        network.requires_grad_(False)
        for name in self.target_names(network):
            layer = self.layer(network.get_submodule(name))
            replace(network, name, layer)
            self.start(layer, name)

    def layer(self, base: torch.nn.Module) -> LoraLinear:
        """The adapted form of a layer."""
        from sevenfold.tune.engine.lora import LoraLinear

        return LoraLinear(base, self.rank, self.scale, self.dropout)

    def start(self, layer: LoraLinear, name: str) -> None:
        """Set where a new layer's pair begins."""
        from torch import nn

        if self.init == "gaussian":
            nn.init.normal_(layer.lora_A.weight, std=1 / self.rank)
        elif self.init in OF_THE_WEIGHT:
            layer.start_at(*self.part_of_the_weight(layer.base_layer, name))

    def part_of_the_weight(self, base: torch.nn.Module, name: str) -> tuple[torch.Tensor, torch.Tensor]:
        """A and B that are factors of a layer's weight.

        Raises:
            RecipeError: The weight has no such rank.
        """
        import torch

        from sevenfold.tune.engine import bases, starts

        self.check_rank(base, name)
        weight_OI = bases.dense(base, torch.float32)
        if self.init == "olora":
            return starts.orthonormal(weight_OI, self.rank)
        return starts.principal(weight_OI, self.rank, self.scale, self.pissa_iterations)

    def check_rank(self, base: torch.nn.Module, name: str) -> None:
        """Refuse a pair of a higher rank than the weight that it is to be a part of."""
        from sevenfold.tune.engine import bases

        if self.rank > min(bases.sizes(base)):
            raise RecipeError(
                f"rank = {self.rank} is more than the weight of {name} has, so init: {self.init} cannot begin there",
                where=f"{self.place}.rank",
                expected=f"at most {min(bases.sizes(base))}",
                next_step="a lower rank, other targets, or init: kaiming",
            )

    def target_names(self, network: PreTrainedModel) -> list[str]:
        """The full names of the linear layers that get an adapter.

        Raises:
            ModelError: The network has no linear layer that could be one.
            RecipeError: A target names no layer, or none is in the chosen blocks.
        """
        from sevenfold.tune.engine import bases, blocks

        linear = bases.linear_names(network)
        if not linear:
            raise ModelError(f"{type(network).__name__} has no linear layers for LoRA", next_step="tune.method: full")
        named = self.named(linear)
        if not self.first + self.last:
            return named
        inside = tuple(f"{block}." for block in blocks.ends(network, self.first, self.last, self.place))
        chosen = [name for name in named if name.startswith(inside)]
        if not chosen:
            raise RecipeError(
                f"no target lies in the first {self.first} and the last {self.last} blocks",
                where=f"{self.place}.targets",
                alternatives=[name for name in linear if name.startswith(inside)],
            )
        return chosen

    def named(self, linear: list[str]) -> list[str]:
        """Those of the linear layers that a target names."""
        if self.targets == ["all-linear"]:
            return linear
        for target in self.targets:
            if not any(matches(name, target) for name in linear):
                kinds = sorted({name.rsplit(".", 1)[-1] for name in linear})
                raise RecipeError(
                    f"no linear layer is named {target!r}",
                    where=f"{self.place}.targets",
                    value=target,
                    alternatives=kinds,
                )
        return [name for name in linear if any(matches(name, target) for target in self.targets)]

    def rates(self, network: PreTrainedModel) -> dict[str, float]:
        """B learns faster (LoRA+)."""
        if self.rate_ratio == 1:
            return {}
        return {name: self.rate_ratio for name in self.trainable(network) if name.endswith("lora_B.weight")}

    def notes(self, network: PreTrainedModel) -> list[str]:
        """What is saved where the pair began as a part of the weight."""
        if not self.doubled:
            return []
        return [
            f"the pairs began as a part of the weights (init: {self.init}); what is saved is the change since then, an "
            f"ordinary LoRA of rank {2 * self.rank} for the original base"
        ]

    def save(self, network: PreTrainedModel, folder: Path, base: str) -> None:
        """Write ``adapter_model.safetensors`` and ``adapter_config.json`` as PEFT reads them."""
        write(folder / ADAPTER_FILE, {name: self.contents(layer) for name, layer in adapters(network).items()})
        config = self.peft_config(network, base)
        (folder / "adapter_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")

    def contents(self, layer: LoraLinear) -> dict[str, torch.Tensor]:
        """What is written of a layer, by PEFT's names."""
        down_RI, up_OR = layer.factors()
        return {"lora_A.weight": down_RI, "lora_B.weight": up_OR}

    def peft_config(self, network: PreTrainedModel, base: str) -> dict[str, Any]:
        """The fields of PEFT's LoraConfig that say what the tensors mean."""
        from sevenfold.tune.engine import bases

        layers = adapters(network)
        more = 2 if self.doubled else 1
        return {
            "peft_type": "LORA",
            "task_type": peft_task(network.config),
            "base_model_name_or_path": base,
            "r": self.rank * more,
            # The scale of the written pair is that of the trained one.
            "lora_alpha": self.alpha * (math.sqrt(more) if self.rank_stabilized else more),
            "use_rslora": self.rank_stabilized,
            "lora_dropout": self.dropout,
            "bias": "none",
            "fan_in_fan_out": any(bases.is_transposed(layer.base_layer) for layer in layers.values()),
            "target_modules": sorted(layers),
            "inference_mode": True,
        }

    def load(self, network: PreTrainedModel, folder: Path) -> None:
        """Put saved pairs beside the layers they belong to.

        Raises:
            ModelError: A saved tensor does not fit the network or these settings.
        """
        network.requires_grad_(False)
        for name, kept in saved(self.file(folder)):
            layer = self.layer(network.get_submodule(name))
            try:
                self.fill(layer, kept)
            except (KeyError, ValueError) as error:
                raise ModelError(
                    f"what is saved of {name} does not fit: {error}",
                    where=str(folder),
                    expected=f"rank {self.rank}, as the recipe says",
                ) from error
            replace(network, name, layer)

    def file(self, folder: Path) -> Path:
        """The file that :meth:`load` reads."""
        return folder / ADAPTER_FILE

    def fill(self, layer: LoraLinear, kept: dict[str, torch.Tensor]) -> None:
        """Set a new layer to what :meth:`contents` gave of a trained one."""
        down_RI, up_OR = kept["lora_A.weight"], kept["lora_B.weight"]
        if self.doubled:
            (down_RI, moved_RI), (up_OR, start_OR) = down_RI.chunk(2), up_OR.chunk(2, 1)
            layer.start_A, layer.start_B = down_RI - moved_RI, start_OR.contiguous()
            up_OR = up_OR + start_OR
        put(layer.lora_A.weight, down_RI)
        put(layer.lora_B.weight, up_OR)

    def merge(self, network: PreTrainedModel) -> None:
        """Replace every adapted layer by a plain one with ``W + scale * B A``, added in float32."""
        for name, layer in adapters(network).items():
            replace(network, name, layer.merged())

    def unload(self, network: PreTrainedModel) -> None:
        """Put every adapted layer's base back in its place."""
        for name, layer in adapters(network).items():
            replace(network, name, layer.base_layer)


def matches(name: str, target: str) -> bool:
    """Whether ``target`` is the last part, or parts, of a module's dotted name, or a pattern of the whole name."""
    return name == target or name.endswith(f".{target}") or ("*" in target and fnmatchcase(name, target))


def adapters(network: PreTrainedModel) -> dict[str, LoraLinear]:
    """The adapted layers of a network by name."""
    from sevenfold.tune.engine.lora import LoraLinear

    return {name: part for name, part in network.named_modules() if isinstance(part, LoraLinear)}


def replace(network: PreTrainedModel, name: str, part: torch.nn.Module) -> None:
    """Set a submodule by its dotted name."""
    parent, _, child = name.rpartition(".")
    setattr(network.get_submodule(parent), child, part)
