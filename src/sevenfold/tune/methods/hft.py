"""Half fine-tuning: each round half of every block moves, the other half not (Hui et al. 2024, arXiv 2404.18466)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from sevenfold.tune.methods import Method, Moment, Needs

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

    from sevenfold.tune.section import TuneSection


class Hft(Method):
    """In each block half of the attention's weights, half of the feed-forward's and half of the norms move in a round.

    With M the mask of the round, ``w <- w - rate * M * step(dL/dw)``. What is frozen keeps its bits and its
    optimiser's state, and no gradient is computed for it: a third of the products of a step are gradients of weights,
    so half of them is a sixth of the time. With three feed-forward weights one block moves one of them, the next one
    two. Embeddings, head and last norm are frozen in all rounds unless ``embeddings``.

    All weights of the blocks are held in float32, as in ``full``. Over one round gradients and optimiser take half of
    what they take there; over several rounds the optimiser's state grows to all, and gradients stay at half. When to
    use: for a second or third training of a model that is not to forget the first; and any half can be rolled back to
    the base afterwards, by the command ``rollback``.
    """

    adapter: ClassVar[bool] = False
    share: float = Field(0.5, gt=0, le=1, description="Share of the weights that move in a round.")
    strategy: Literal["category", "layer", "model", "random"] = Field(
        "category",
        description="Half of what: each block's attention, feed-forward and norms (category), the blocks (layer), all "
        "weights together (model); these take turns. random: of all weights, drawn anew each round.",
    )
    round: int | None = Field(None, ge=1, description="Steps of a round; null: the whole training is one.")
    first_round: int = Field(
        0, ge=0, description="Rounds that were trained before: 1 for a second training that takes the other half."
    )
    embeddings: bool = Field(False, description="Embeddings, head and last norm move too, in every round.")

    def weights_dtype(self, precision: torch.dtype) -> torch.dtype:
        """The run's precision, for what never moves."""
        return precision

    def attach(self, network: PreTrainedModel) -> None:
        """Let all move that will move in some round, in float32."""
        from sevenfold.tune import partial

        partial.move(network, self.candidates(network))

    def candidates(self, network: PreTrainedModel) -> list[str]:
        """The names of all parameters that may move in some round."""
        from sevenfold.tune.engine import halves

        if self.embeddings:
            return [name for name, _ in network.named_parameters()]
        return [name for part in halves.parts(network) for name in part.names]

    def trainable(self, network: PreTrainedModel) -> dict[str, torch.nn.Parameter]:
        """All that move in some round; ``requires_grad`` says which do in this one."""
        chosen = set(self.candidates(network))
        return {name: weight for name, weight in network.named_parameters() if name in chosen}

    def begin(self, network: PreTrainedModel, moment: Moment) -> None:
        """Freeze what does not move in this round."""
        from sevenfold.tune.engine import halves

        parts = halves.parts(network)
        number = self.first_round + (moment.step // self.round if self.round else 0)
        inside = {name for part in parts for name in part.names}
        chosen = halves.moving(parts, self.strategy, self.share, number, moment.seed)
        for name, weight in self.trainable(network).items():
            weight.requires_grad_(name in chosen or name not in inside)

    def needs(self, section: TuneSection, network: PreTrainedModel, precision: torch.dtype) -> Needs:
        """Over one round the optimiser holds the moments of what moves in it, and of nothing else."""
        found = super().needs(section, network, precision)
        if self.round or self.embeddings:
            return found
        return replace(found, optimizer_bytes=round(self.share * found.optimizer_bytes))

    def notes(self, network: PreTrainedModel) -> list[str]:
        """What moves, and when."""
        weights = sum(weight.numel() for weight in self.trainable(network).values())
        rounds = f"another part every {self.round} steps" if self.round else "the same part in all steps"
        return [f"{self.share:.0%} of {weights:,} weights move at a time, {rounds}, by {self.strategy}"]

    def save(self, network: PreTrainedModel, folder: Path, base: str) -> None:
        """Write the whole model as safetensors with its configuration."""
        from sevenfold.tune import partial

        partial.save(network, folder)

    def load(self, network: PreTrainedModel, folder: Path) -> None:
        """Put the saved weights of the blocks into the network."""
        from sevenfold.tune import partial

        partial.free(network, self.candidates(network))
        partial.load(network, folder)

    def merge(self, network: PreTrainedModel) -> None:
        """Nothing to do: the weights are plain already."""
