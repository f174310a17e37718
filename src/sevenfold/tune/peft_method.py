"""What all methods share whose layers are PEFT's."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from sevenfold.errors import ModelError, RecipeError
from sevenfold.tune.methods import METHODS, Method

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel


class PeftMethod(Method):
    """A tuner of PEFT behind the contract of methods.

    The base is frozen at the run's precision, what moves is float32. Where the run's precision is lower, products run
    under autocast: PEFT's layers do not cast where they use their weights, as the engine's own do, but would compute
    the change in float32, which takes up to twice a step's time.
    """

    adapter: ClassVar[bool] = True

    @property
    @abstractmethod
    def kind(self) -> str:
        """PEFT's name of the type, in capitals."""

    @abstractmethod
    def settings(self, network: PreTrainedModel) -> dict[str, Any]:
        """The fields of PEFT's configuration, where they differ from PEFT's defaults."""

    @property
    def place(self) -> str:
        """Where the method stands in a recipe."""
        return f"tune.method.{METHODS.name_of(self)}"

    def weights_dtype(self, precision: torch.dtype) -> torch.dtype:
        """The run's precision: frozen weights need no more."""
        return precision

    def attach(self, network: PreTrainedModel) -> None:
        """Freeze the base and put PEFT's layers in."""
        from sevenfold.tune import peft_bridge

        peft_bridge.require()
        config = peft_bridge.config_of(self.kind, self.settings(network), network, self.place)
        peft_bridge.attach(network, config, self.place)

    def save(self, network: PreTrainedModel, folder: Path, base: str) -> None:
        """Write ``adapter_model.safetensors`` and ``adapter_config.json`` as PEFT does."""
        from sevenfold.tune import peft_bridge

        peft_bridge.save(network, folder, base)

    def load(self, network: PreTrainedModel, folder: Path) -> None:
        """Put a saved adapter into a plain network; its settings are those of the file."""
        from sevenfold.tune import peft_bridge

        peft_bridge.require()
        peft_bridge.load(network, folder, self.kind)

    def merge(self, network: PreTrainedModel) -> None:
        """Add the change to the weights of every adapted layer."""
        from sevenfold.tune import peft_bridge

        peft_bridge.merge(network)

    def unload(self, network: PreTrainedModel) -> None:
        """Put the plain layers back."""
        from sevenfold.tune import peft_bridge

        peft_bridge.unload(network)

    def notes(self, network: PreTrainedModel) -> list[str]:
        """What PEFT warned of."""
        from sevenfold.tune import peft_bridge

        return [f"PEFT: {text}" for text in peft_bridge.said(network)]


class LinearPeftMethod(PeftMethod):
    """A tuner of PEFT beside linear layers that the recipe names as it does for ``lora``."""

    targets: list[str] = Field(
        default=["all-linear"], description="Last parts of the names of linear layers; all-linear: all but the head."
    )

    def target_names(self, network: PreTrainedModel) -> list[str]:
        """The full names of the linear layers that are adapted.

        Raises:
            ModelError: The network has no linear layer.
            RecipeError: A target names no layer.
        """
        from sevenfold.tune.engine import bases

        linear = bases.linear_names(network)
        if not linear:
            raise ModelError(f"{type(network).__name__} has no linear layers", next_step="tune.method: full")
        if self.targets == ["all-linear"]:
            return linear
        for target in self.targets:
            if not any(is_end(target, name) for name in linear):
                kinds = sorted({name.rsplit(".", 1)[-1] for name in linear})
                raise RecipeError(
                    f"no linear layer is named {target!r}",
                    where=f"{self.place}.targets",
                    value=target,
                    alternatives=kinds,
                )
        return [name for name in linear if any(is_end(target, name) for target in self.targets)]


def is_end(target: str, name: str) -> bool:
    """Whether ``target`` is the last part, or parts, of a module's dotted name."""
    return name == target or name.endswith(f".{target}")
