"""Mask: chosen parts of the weights move, single entries or heads, neurons and blocks; the rest keeps its bits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, model_validator

from sevenfold.tune.methods import Method, Moment

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

    from sevenfold.tune.engine.masks import Choice


class Mask(Method):
    """``W + M * deltas`` with a mask M that is chosen once; only what it lets through is held, learnt and saved.

    Structured: ``heads`` (with grouped queries: a head of keys and values with all its queries), ``neurons`` of the
    feed-forward parts (their rows of the layers inward and their column of the layer outward) or ``layers`` (all
    linear layers of whole blocks). Unstructured: ``entries`` of every linear weight but the head's. Masks are on
    weights of linear layers; biases, norms and embeddings do not move.

    Chosen are those with the largest sum of ``|w|`` (``magnitude``), of ``|w dL/dw|`` in the first pass
    (``importance``, a first-order estimate of how the loss would change without them: Molchanov et al. 2019, arXiv
    1906.10771; Michel et al. 2019, arXiv 1905.10650, for heads), or at ``random`` (Xu and Zhang 2024, arXiv
    2405.02596). With ``importance`` the first step only looks: nothing moves in it, and it computes the whole gradient
    of one weight at a time.

    Rows and columns cost their share of the gradient's product; gradients, deltas and the optimiser's moments are
    float32 and as many as what moves. Entries also take 4 bytes of index each. When to use: to learn which parts carry
    a skill, to confine a change to a few parts, or as a cheaper full tuning (``neurons``).
    """

    adapter: ClassVar[bool] = True
    what: Literal["heads", "neurons", "layers", "entries"] = Field("neurons", description="What is chosen.")
    share: float = Field(0.1, gt=0, le=1, description="Share that moves: of each block's units, each weight's entries.")
    by: Literal["random", "magnitude", "importance"] = Field("importance", description="How it is chosen.")

    @model_validator(mode="after")
    def blocks_are_chosen_before(self) -> Mask:
        """Refuse to choose blocks by data: which parameters there are is settled before the first pass."""
        if self.what == "layers" and self.by == "importance":
            raise ValueError(
                "which blocks hold parameters is settled before the first pass, and by: importance needs that pass; "
                "set by: magnitude or by: random for what: layers, or what: neurons"
            )
        return self

    @property
    def choice(self) -> Choice:
        """What chooses."""
        from sevenfold.tune.engine import masks, units

        if self.what == "entries":
            return masks.Entries(self.share)
        if self.what == "layers":
            return masks.Blocks(self.share)
        return masks.Units(self.share, units.heads if self.what == "heads" else units.neurons)

    def weights_dtype(self, precision: torch.dtype) -> torch.dtype:
        """The run's precision: frozen weights need no more."""
        return precision

    def attach(self, network: PreTrainedModel) -> None:
        """Freeze the base and put deltas on what is chosen."""
        network.requires_grad_(False)
        self.choice.attach(network, self.by)

    def state(self, network: PreTrainedModel) -> dict[str, torch.Tensor]:
        """The places of all deltas."""
        from sevenfold.tune.engine import sparse

        return {f"{name}.places": layer.places for name, layer in sparse.layers(network).items()}

    def begin(self, network: PreTrainedModel, moment: Moment) -> None:
        """Look at all weights in the first step, where importance is asked for."""
        if self.by == "importance" and moment.step == 0:
            self.choice.watch(network)

    def moved(self, network: PreTrainedModel, moment: Moment) -> None:
        """Choose behind the first step."""
        if self.by == "importance" and moment.step == 0:
            self.choice.settle(network)

    def notes(self, network: PreTrainedModel) -> list[str]:
        """How much moves."""
        from sevenfold.tune.engine import sparse

        layers = sparse.layers(network).values()
        entries, moving = sum(part.inputs * part.outputs for part in layers), sum(w.deltas.numel() for w in layers)
        first = "; the first step only looks which" if self.by == "importance" else ""
        return [
            f"{moving:,} of {entries:,} weights of {len(layers)} linear layers move ({moving / entries:.2%}){first}"
        ]

    def save(self, network: PreTrainedModel, folder: Path, base: str) -> None:
        """Write places and deltas as safetensors, and a JSON beside them."""
        from sevenfold.tune.engine import sparse_file

        sparse_file.save(
            network, folder, base, {"method": "mask", "what": self.what, "share": self.share, "by": self.by}
        )

    def load(self, network: PreTrainedModel, folder: Path) -> None:
        """Put saved deltas on the layers that they belong to."""
        from sevenfold.tune.engine import sparse_file

        sparse_file.load(network, folder)

    def merge(self, network: PreTrainedModel) -> None:
        """Add the deltas to their weights; all other weights keep their bits."""
        from sevenfold.tune.engine import sparse

        sparse.merge(network)

    def unload(self, network: PreTrainedModel) -> None:
        """Put every layer's base back in its place."""
        from sevenfold.tune.engine import sparse

        sparse.unload(network)
