"""BitFit: only biases move (Ben Zaken et al. 2021, arXiv 2106.10199)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from sevenfold.errors import ModelError
from sevenfold.tune.methods import Method

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel


class Bitfit(Method):
    """Every bias of the network moves and nothing else: about 0.1 % of its parameters.

    Networks of the Llama type have no biases. With ``norms`` the scales of their norms move instead, which are as
    few (Zhao et al. 2023, arXiv 2312.11420). What moves is float32, what is frozen is at the run's precision. Few
    weights want a high learning rate: 10 to 50 times that of LoRA.
    """

    adapter: ClassVar[bool] = False
    norms: bool = Field(True, description="In a network without biases the weights of its norms move instead.")

    def weights_dtype(self, precision: torch.dtype) -> torch.dtype:
        """The run's precision, for what is frozen."""
        return precision

    def attach(self, network: PreTrainedModel) -> None:
        """Free the biases, in float32."""
        from sevenfold.tune import partial

        partial.move(network, self.chosen(network))

    def chosen(self, network: PreTrainedModel) -> list[str]:
        """The names of the parameters that move.

        Raises:
            ModelError: The network has no biases, and norms are not to move, or it has none either.
        """
        biases = [name for name, _ in network.named_parameters() if name.rsplit(".", 1)[-1] == "bias"]
        if biases:
            return biases
        norms = norm_weights(network)
        if not (self.norms and norms):
            possible = ["tune.method: {bitfit: {norms: true}}"] if norms else []
            raise ModelError(
                f"{type(network).__name__} has no biases",
                next_step="; or ".join([*possible, "tune.method: lora", "tune.method: layers"]),
            )
        return norms

    def notes(self, network: PreTrainedModel) -> list[str]:
        """Which of the two moves."""
        moving = self.trainable(network)
        if any(name.endswith("bias") for name in moving):
            return []
        return [f"{type(network).__name__} has no biases: the weights of its {len(moving)} norms move instead"]

    def save(self, network: PreTrainedModel, folder: Path, base: str) -> None:
        """Write the whole model as safetensors with its configuration."""
        from sevenfold.tune import partial

        partial.save(network, folder)

    def load(self, network: PreTrainedModel, folder: Path) -> None:
        """Put the saved biases into the network."""
        from sevenfold.tune import partial

        partial.free(network, self.chosen(network))
        partial.load(network, folder)

    def merge(self, network: PreTrainedModel) -> None:
        """Nothing to do: the weights are plain already."""


def norm_weights(network: PreTrainedModel) -> list[str]:
    """The names of the weights of all normalising layers, which their classes' names tell."""
    return [
        f"{name}.weight"
        for name, part in network.named_modules()
        if "norm" in type(part).__name__.lower() and hasattr(part, "weight")
    ]
