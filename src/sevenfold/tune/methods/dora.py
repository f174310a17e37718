"""DoRA: rows keep a length of their own while a low-rank change turns them (Liu et al. 2024, arXiv 2402.09353)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sevenfold.tune.adapter_file import put
from sevenfold.tune.methods.lora import Lora

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

    from sevenfold.tune.engine.lora import LoraLinear

MAGNITUDE = "lora_magnitude_vector"


class Dora(Lora):
    r"""``y = (m / |V|) V x`` with ``V = W + scale * B A``: m, one number an output, and the pair learn.

    |V| is the length of each row, and m begins there. Full tuning changes length and direction of rows in other
    proportions than LoRA does; with m apart the two are free of each other. As in the paper (section 4.3) and in PEFT
    |V| takes no part in gradients. Fields are those of ``lora``; dropout is on the input of A alone, where PEFT drops
    inputs of the whole correction.

    It costs one number an output more than LoRA, the outputs until the backward pass (most networks keep them anyway),
    and little time: V is never made to find its length. Use it where a LoRA of this rank learns less than full tuning;
    it merges as LoRA does. Networks that change a layer's output in place cannot train with it.
    """

    def layer(self, base: torch.nn.Module) -> LoraLinear:
        """The adapted form of a layer."""
        from sevenfold.tune.engine.dora import DoraLinear

        return DoraLinear(base, self.rank, self.scale, self.dropout)

    def contents(self, layer: LoraLinear) -> dict[str, torch.Tensor]:
        """What is written of a layer, by PEFT's names."""
        return {**super().contents(layer), MAGNITUDE: layer.get_parameter(MAGNITUDE)}

    def fill(self, layer: LoraLinear, kept: dict[str, torch.Tensor]) -> None:
        """Set a new layer to what :meth:`contents` gave of a trained one."""
        super().fill(layer, kept)
        put(layer.get_parameter(MAGNITUDE), kept[MAGNITUDE])

    def peft_config(self, network: PreTrainedModel, base: str) -> dict[str, Any]:
        """The fields of PEFT's LoraConfig that say what the tensors mean."""
        return {**super().peft_config(network, base), "use_dora": True}
