"""Every tuner of PEFT that changes layers, by PEFT's name and with PEFT's fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field, field_validator, model_validator

from sevenfold.errors import RecipeError
from sevenfold.tune.peft_catalogue import DEFAULTS, DIFFERS, OPEN, REFUSED
from sevenfold.tune.peft_method import PeftMethod

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class Peft(PeftMethod):
    """PEFT's catalogue: ``{peft: {type: MISS, config: {r: 16}}}``, with the fields of PEFT's own configuration.

    What is not given has PEFT's default; of ``target_modules`` that is PEFT's choice for the architecture, and all
    linear layers where PEFT has none. The types that are open have passed the same contract as our own methods; of the
    others the error says why not. What a type computes, and its paper, stands in PEFT's documentation. Speed is PEFT's:
    where a method of the same name is ours, such as lora, that one is faster.
    """

    type: str = Field("MISS", description="PEFT's name of the tuner; capitals and underscores do not matter.")
    config: dict[str, Any] = Field(default={}, description="Fields of PEFT's configuration class for this type.")

    @field_validator("type")
    @classmethod
    def one_that_is_open(cls, value: str) -> str:
        """PEFT's spelling of a type; refuse what is unknown, and what cannot work, with its reason."""
        spelt = {plain(name): name for name in (*OPEN, *REFUSED)}
        name = spelt.get(plain(value))
        if name is None:
            raise RecipeError(f"PEFT has no type {value!r}", value=value.upper(), alternatives=OPEN)
        if name in REFUSED:
            raise RecipeError(f"PEFT's {name} cannot be trained here: {REFUSED[name]}", alternatives=OPEN)
        return name

    @model_validator(mode="after")
    def the_base_stays(self) -> Peft:
        """Refuse what moves the base's own weights: without its adapter it could not be the base again."""
        for key, harmless in (("bias", "none"), ("modules_to_save", None), ("trainable_token_indices", None)):
            if self.config.get(key, harmless) != harmless and self.type != "TRAINABLE_TOKENS":
                raise ValueError(f"config.{key} = {self.config[key]!r} moves weights of the base, not of an adapter")
        return self

    @property
    def kind(self) -> str:
        """The type."""
        return self.type

    def settings(self, network: PreTrainedModel) -> dict[str, Any]:
        """The recipe's fields, and layers to adapt where neither the recipe nor PEFT has any."""
        from sevenfold.tune import peft_bridge

        fields = {**DEFAULTS.get(self.type, {}), **self.config}
        if "target_modules" in fields or peft_bridge.has_targets(self.kind, network):
            return fields
        return {"target_modules": "all-linear", **fields}

    def notes(self, network: PreTrainedModel) -> list[str]:
        """What PEFT warned of, and whether the start is not the base."""
        differs = [f"step 0 is not the base's own: {DIFFERS[self.type]}"] if self.type in DIFFERS else []
        return differs + super().notes(network)


def plain(name: str) -> str:
    """A type's name as it is compared: ``FourierFT`` is ``FOURIERFT``, ``LNTuning`` is ``LN_TUNING``."""
    return name.upper().replace("_", "").replace("-", "")
