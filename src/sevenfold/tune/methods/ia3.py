"""(IA)3: keys, values and what enters the feed-forward's last layer are scaled (Liu et al. 2022, arXiv 2205.05638)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field, model_validator

from sevenfold.errors import ModelError
from sevenfold.tune.peft_method import PeftMethod, is_end

if TYPE_CHECKING:
    from transformers import PreTrainedModel

KEYS_AND_VALUES, INNER = ("k_proj", "v_proj"), "down_proj"
"""The names of a block's layers in networks of the Llama type."""


class Ia3(PeftMethod):
    r"""Keys ``l_k o K x``, values ``l_v o V x`` and the inner units ``D (l_ff o h)``; the vectors are one at the start.

    The fewest weights of all methods that change every block: of each block as many as its keys, values and inner units
    are wide. The learning rate is high, 3e-3 in the paper. It merges into the weights, and takes 0.84 of the time of
    LoRA of rank 16 (measured, SmolLM2's blocks in bfloat16 on one core). Use it for few rows.

    Networks of the Llama type, and all whose blocks name their layers in the same way, are found by these names; for
    others PEFT knows the layers of some architectures; else ``attention`` and ``feedforward`` name them. PEFT's layers.
    """

    attention: list[str] = Field(
        default=[], description="Last parts of the names of layers whose outputs are scaled; empty: keys and values."
    )
    feedforward: list[str] = Field(
        default=[],
        description="Last parts of the names of layers whose inputs are scaled; empty: the feed-forward's last one.",
    )

    @model_validator(mode="after")
    def both_or_none(self) -> Ia3:
        """Refuse names for one kind of layer only: nobody could tell whether the other is to be found or left out."""
        if bool(self.attention) != bool(self.feedforward):
            raise ValueError("give attention and feedforward, or neither")
        return self

    @property
    def kind(self) -> str:
        """PEFT's (IA)3."""
        return "IA3"

    def settings(self, network: PreTrainedModel) -> dict[str, Any]:
        """The fields of PEFT's IA3Config."""
        outputs, inputs = self.layers(network)
        return {"target_modules": [*outputs, *inputs], "feedforward_modules": inputs}

    def layers(self, network: PreTrainedModel) -> tuple[list[str], list[str]]:
        """The names of layers whose outputs, and of layers whose inputs are scaled.

        Raises:
            ModelError: Neither the recipe nor PEFT says which layers these are.
        """
        if self.attention:
            return self.attention, self.feedforward
        from sevenfold.tune.engine import bases

        names = bases.linear_names(network)
        if all(any(is_end(layer, name) for name in names) for layer in (*KEYS_AND_VALUES, INNER)):
            return list(KEYS_AND_VALUES), [INNER]
        return self.of_peft(network, names)

    def of_peft(self, network: PreTrainedModel, names: list[str]) -> tuple[list[str], list[str]]:
        """The layers that PEFT knows for the architecture; each of them must be there."""
        from peft.utils import (
            TRANSFORMERS_MODELS_TO_IA3_FEEDFORWARD_MODULES_MAPPING,
            TRANSFORMERS_MODELS_TO_IA3_TARGET_MODULES_MAPPING,
        )

        known = TRANSFORMERS_MODELS_TO_IA3_TARGET_MODULES_MAPPING.get(network.config.model_type, [])
        if not known or not all(any(is_end(layer, name) for name in names) for layer in known):
            ends = sorted({name.rsplit(".", 1)[-1] for name in names})
            raise ModelError(
                f"which layers of {type(network).__name__} (IA)3 scales is not known",
                where=self.place,
                expected=f"{', '.join(KEYS_AND_VALUES)} and {INNER}, or an architecture that PEFT knows",
                next_step=f"name them as attention and feedforward, of: {', '.join(ends)}",
            )
        inputs = TRANSFORMERS_MODELS_TO_IA3_FEEDFORWARD_MODULES_MAPPING[network.config.model_type]
        return [name for name in known if name not in inputs], list(inputs)
