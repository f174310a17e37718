"""Layers: only chosen blocks move, the rest of the network stays as it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from sevenfold.errors import RecipeError
from sevenfold.tune.methods import Method

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel


class Layers(Method):
    """The lowest ``first`` and the highest ``last`` blocks move, and every parameter that a pattern names.

    The first blocks carry the form of the words, the last ones the form of the answer: ``{first: 2, last: 2}`` is the
    classic choice for a new language or domain. ``{last: 2}`` is the fast one: below the lowest weight that moves no
    gradient is computed, and what enters it is the same in every epoch (``tune.engine.trunk_cache``).

    What moves is held in float32, what is frozen at the run's precision; products run at the run's precision.
    """

    adapter: ClassVar[bool] = False
    first: int = Field(0, ge=0, description="Blocks that move, counted from the embeddings.")
    last: int = Field(2, ge=0, description="Blocks that move, counted from the head.")
    names: list[str] = Field(
        default=[],
        description='Patterns of the names of more parameters that move, such as "*.mlp.down_proj.weight"; '
        "* stands for anything.",
    )
    head: bool = Field(False, description="The head moves too; only where it does not share the embeddings' weights.")

    def weights_dtype(self, precision: torch.dtype) -> torch.dtype:
        """The run's precision, for what is frozen."""
        return precision

    def attach(self, network: PreTrainedModel) -> None:
        """Free the chosen parameters, in float32."""
        from sevenfold.tune import partial

        partial.move(network, self.chosen(network))

    def chosen(self, network: PreTrainedModel) -> list[str]:
        """The names of the parameters that move.

        Raises:
            RecipeError: There are fewer blocks, a pattern matches nothing, the head is tied, or nothing would move.
        """
        from sevenfold.tune import partial

        patterns = [*self.block_patterns(network), *self.head_patterns(network), *self.names]
        found = partial.matching(network, patterns, "tune.method.layers.names")
        if not patterns:
            raise RecipeError(
                "no parameter moves", where="tune.method.layers", next_step="set first, last, names or head"
            )
        return found

    def block_patterns(self, network: PreTrainedModel) -> list[str]:
        """Patterns of the parameters of the first and last blocks."""
        from sevenfold.tune.engine import blocks

        return [f"{name}.*" for name in blocks.ends(network, self.first, self.last, "tune.method.layers")]

    def head_patterns(self, network: PreTrainedModel) -> list[str]:
        """The pattern of the head's parameters, where it has its own."""
        if not self.head:
            return []
        head = network.get_output_embeddings()
        if head.weight is network.get_input_embeddings().weight:
            embeddings = next(name for name, weight in network.named_parameters() if weight is head.weight)
            raise RecipeError(
                "the head shares the weights of the input embeddings: they can only move together",
                where="tune.method.layers.head",
                next_step=f"leave head out; or names: [{embeddings}], which moves both",
            )
        return [f"{name}.*" for name, part in network.named_modules() if part is head]

    def save(self, network: PreTrainedModel, folder: Path, base: str) -> None:
        """Write the whole model as safetensors with its configuration."""
        from sevenfold.tune import partial

        partial.save(network, folder)

    def load(self, network: PreTrainedModel, folder: Path) -> None:
        """Put the saved weights of the chosen parameters into the network."""
        from sevenfold.tune import partial

        partial.free(network, self.chosen(network))
        partial.load(network, folder)

    def merge(self, network: PreTrainedModel) -> None:
        """Nothing to do: the weights are plain already."""
