"""LoRA: a low-rank change beside every frozen linear layer (Hu et al. 2021, arXiv 2106.09685)."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from sevenfold.errors import ModelError, RecipeError
from sevenfold.tune.methods import Method

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

    from sevenfold.tune.engine.lora import LoraLinear

PEFT_PREFIX = "base_model.model."


class Lora(Method):
    r"""``y = W x + scale * B A x`` with :math:`A_{RI}` drawn at random, :math:`B_{OR}` zero at the start.

    ``scale`` is ``alpha / rank``, or ``alpha / sqrt(rank)`` with ``rank_stabilized`` (rsLoRA, Kalajdzievski 2023,
    arXiv 2312.03732). The base is frozen at the run's precision; A and B are float32.
    """

    adapter: ClassVar[bool] = True
    rank: int = Field(16, ge=1, description="Rank of the change; higher learns more and costs more.")
    alpha: float = Field(32.0, gt=0, description="The change is scaled by alpha / rank.")
    targets: list[str] = Field(
        default=["all-linear"], description="Last parts of the names of linear layers; all-linear: all but the head."
    )
    rank_stabilized: bool = Field(False, description="Scale by alpha / sqrt(rank) instead (rsLoRA).")

    @property
    def scale(self) -> float:
        """The factor of the low-rank change."""
        return self.alpha / (math.sqrt(self.rank) if self.rank_stabilized else self.rank)

    def weights_dtype(self, precision: torch.dtype) -> torch.dtype:
        """The run's precision: frozen weights need no more."""
        return precision

    def attach(self, network: PreTrainedModel) -> None:
        """Freeze the base and put a trainable pair beside each target."""
        network.requires_grad_(False)
        for name in self.target_names(network):
            wrap(network, name, self.rank, self.scale)

    def target_names(self, network: PreTrainedModel) -> list[str]:
        """The full names of the linear layers that get an adapter.

        Raises:
            ModelError: The network has no linear layer that could be one.
            RecipeError: A target names no layer.
        """
        from sevenfold.tune.engine import bases

        linear = bases.linear_names(network)
        if not linear:
            raise ModelError(f"{type(network).__name__} has no linear layers for LoRA", next_step="tune.method: full")
        if self.targets == ["all-linear"]:
            return linear
        for target in self.targets:
            if not any(matches(name, target) for name in linear):
                kinds = sorted({name.rsplit(".", 1)[-1] for name in linear})
                raise RecipeError(f"no linear layer is named {target!r}", value=target, alternatives=kinds)
        return [name for name in linear if any(matches(name, target) for target in self.targets)]

    def save(self, network: PreTrainedModel, folder: Path, base: str) -> None:
        """Write ``adapter_model.safetensors`` and ``adapter_config.json`` as PEFT reads them."""
        from safetensors.torch import save_file

        layers = adapters(network)
        tensors = {}
        for name, layer in layers.items():
            tensors[f"{PEFT_PREFIX}{name}.lora_A.weight"] = layer.lora_A.weight.detach().float().cpu().contiguous()
            tensors[f"{PEFT_PREFIX}{name}.lora_B.weight"] = layer.lora_B.weight.detach().float().cpu().contiguous()
        save_file(tensors, folder / "adapter_model.safetensors", metadata={"format": "pt"})
        config = self.peft_config(network, base)
        (folder / "adapter_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")

    def peft_config(self, network: PreTrainedModel, base: str) -> dict[str, Any]:
        """The fields of PEFT's LoraConfig that say what the tensors mean."""
        from sevenfold.tune.engine import bases

        layers = adapters(network)
        return {
            "peft_type": "LORA",
            "task_type": "SEQ_2_SEQ_LM" if network.config.is_encoder_decoder else "CAUSAL_LM",
            "base_model_name_or_path": base,
            "r": self.rank,
            "lora_alpha": self.alpha,
            "use_rslora": self.rank_stabilized,
            "lora_dropout": 0.0,
            "bias": "none",
            "fan_in_fan_out": any(bases.is_transposed(layer.base_layer) for layer in layers.values()),
            "target_modules": sorted(layers),
            "inference_mode": True,
        }

    def load(self, network: PreTrainedModel, folder: Path) -> None:
        """Put saved pairs beside the layers they belong to."""
        from safetensors.torch import load_file

        tensors = load_file(folder / "adapter_model.safetensors")
        network.requires_grad_(False)
        for key in sorted(key for key in tensors if key.endswith(".lora_A.weight")):
            name = key.removeprefix(PEFT_PREFIX).removesuffix(".lora_A.weight")
            layer = wrap(network, name, self.rank, self.scale)
            layer.lora_A.weight.data.copy_(tensors[key])
            layer.lora_B.weight.data.copy_(tensors[key.replace("lora_A", "lora_B")])

    def merge(self, network: PreTrainedModel) -> None:
        """Replace every adapted layer by a plain one with ``W + scale * B A``, added in float32."""
        for name, layer in adapters(network).items():
            replace(network, name, layer.merged())

    def unload(self, network: PreTrainedModel) -> None:
        """Put every adapted layer's base back in its place."""
        for name, layer in adapters(network).items():
            replace(network, name, layer.base_layer)


def matches(name: str, target: str) -> bool:
    """Whether ``target`` is the last part, or parts, of a module's dotted name."""
    return name == target or name.endswith(f".{target}")


def adapters(network: PreTrainedModel) -> dict[str, LoraLinear]:
    """The adapted layers of a network by name."""
    from sevenfold.tune.engine.lora import LoraLinear

    return {name: part for name, part in network.named_modules() if isinstance(part, LoraLinear)}


def wrap(network: PreTrainedModel, name: str, rank: int, scale: float) -> LoraLinear:
    """Put an adapted layer in the place of a plain one."""
    from sevenfold.tune.engine.lora import LoraLinear

    layer = LoraLinear(network.get_submodule(name), rank, scale)
    replace(network, name, layer)
    return layer


def replace(network: PreTrainedModel, name: str, part: torch.nn.Module) -> None:
    """Set a submodule by its dotted name."""
    parent, _, child = name.rpartition(".")
    setattr(network.get_submodule(parent), child, part)
