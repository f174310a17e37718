"""SpIEL: a fixed number of single weights moves, and which ones changes (Ansell et al. 2024, arXiv 2401.16405)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, model_validator

from sevenfold.errors import RecipeError
from sevenfold.tune.methods import Method, Moment

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.engine.growth import Growth
    from sevenfold.tune.engine.moving import Mover
    from sevenfold.tune.engine.sparse import SparseLinear
    from sevenfold.tune.section import TuneSection


class Spiel(Method):
    """``W[i_k] + delta_k`` for K entries of every linear layer's weight; the entries change while training.

    It starts with entries spread at random. Over ``collect`` steps it gathers what says where gradients are large, and
    replaces all; from then on, every ``every`` steps, a share of the entries gives way: those that changed least
    (smallest ``|delta|``) are dropped and the most promising grow from zero. The share falls from ``renew`` to zero
    over the training. ``grow: gradient`` is SpIEL-AG, ``grow: momentum`` SpIEL-MA, which never computes the gradient of
    a whole weight for it and remembers one number for each row and column. A training of fewer than ``collect`` steps
    keeps the random entries.

    An entry takes 4 bytes of index, 4 of delta, 4 of gradient and the optimiser's (8 with AdamW), and 8 more as a
    candidate of SpIEL-AG; the frozen base is held at the run's precision. Merged, all other weights keep their bits.
    When to use: where an adapter should change few weights by much, or be added to others; deltas want a learning rate
    like that of LoRA.
    """

    adapter: ClassVar[bool] = True
    wanders: ClassVar[bool] = True
    density: float = Field(0.01, gt=0, le=1, description="Share of each weight's entries that move.")
    grow: Literal["gradient", "momentum"] = Field(
        "gradient", description="New entries by their accumulated gradients (AG) or their approximate momentum (MA)."
    )
    every: int = Field(20, ge=1, description="Steps from one change of the entries to the next.")
    collect: int = Field(5, ge=1, description="Steps over which gradients are added up before a change.")
    renew: float = Field(
        0.2, ge=0, le=1, description="Share of the entries in the second change; later ones fall to 0."
    )

    @model_validator(mode="after")
    def collected_in_time(self) -> Spiel:
        """Refuse to collect for longer than there are steps between two changes."""
        if self.collect > self.every:
            raise ValueError(f"collect = {self.collect} is more than every = {self.every} steps")
        return self

    def weights_dtype(self, precision: torch.dtype) -> torch.dtype:
        """The run's precision: frozen weights need no more."""
        return precision

    def attach(self, network: PreTrainedModel) -> None:
        """Freeze the base and put deltas on every linear layer but the head."""
        import torch

        from sevenfold.tune.engine import bases, growth, sparse

        network.requires_grad_(False)
        for name in bases.linear_names(network):
            base = network.get_submodule(name)
            inputs, outputs = bases.sizes(base)
            count = max(1, round(self.density * inputs * outputs))
            device = next(base.parameters()).device
            drawn = device.type != "meta"
            places = growth.spread(inputs * outputs, count) if drawn else torch.empty(count, device=device)
            self.let_grow(sparse.wrap(network, name, "entries", places.to(device)))

    def let_grow(self, layer: SparseLinear) -> None:
        """Give a layer what finds its new entries."""
        from sevenfold.tune.engine import growth

        kind = growth.AccumulatedGradient if self.grow == "gradient" else growth.MomentumApproximation
        layer.growth = kind(layer)

    def state(self, network: PreTrainedModel) -> dict[str, torch.Tensor]:
        """The places of all deltas, and what was gathered for the next change."""
        found = {}
        for name, layer in grown(network).items():
            found[f"{name}.places"] = layer.places
            found.update({f"{name}.{key}": value for key, value in growth_of(layer).named_buffers()})
        return found

    def check(self, section: TuneSection) -> None:
        """Refuse momentum where deltas move before their gradients are whole."""
        if self.grow == "momentum" and section.engine.step_in_backward:
            raise RecipeError(
                "tune.method.spiel.grow: momentum reads whole gradients, and tune.engine.step_in_backward moves "
                "weights before they are",
                where="tune.method.spiel.grow",
                value=self.grow,
                alternatives=["gradient"],
                next_step="grow: gradient, or tune.engine.step_in_backward: false",
            )

    def mover(self, forward: Forward, section: TuneSection, weights: Mapping[str, torch.nn.Parameter]) -> Mover:
        """The plain one; its optimiser's moments follow the entries."""
        made = super().mover(forward, section, weights)
        for layer in grown(forward.network).values():
            growth_of(layer).optimizer = made.optimizer
        return made

    def begin(self, network: PreTrainedModel, moment: Moment) -> None:
        """Say what is gathered in this step."""
        for layer in grown(network).values():
            growth_of(layer).begin(layer, moment.step % self.every, self.collect)

    def before_move(self, network: PreTrainedModel, moment: Moment) -> None:
        """Gather from whole gradients."""
        for layer in grown(network).values():
            growth_of(layer).before_move(layer)

    def moved(self, network: PreTrainedModel, moment: Moment) -> None:
        """Change the entries where enough was gathered."""
        from sevenfold.tune.engine import growth

        done = moment.step + 1
        share = 1.0 if done == self.collect else self.renew * (1 - done / moment.total)
        for layer in grown(network).values():
            layer.watch = None
            if moment.step % self.every == self.collect - 1:
                growth.regrow(layer, growth_of(layer), share)

    def notes(self, network: PreTrainedModel) -> list[str]:
        """How many entries move."""
        layers = grown(network).values()
        entries, moving = sum(part.inputs * part.outputs for part in layers), sum(len(part.places) for part in layers)
        return [f"{moving:,} of {entries:,} weights of {len(layers)} linear layers move ({moving / entries:.2%})"]

    def save(self, network: PreTrainedModel, folder: Path, base: str) -> None:
        """Write places and deltas as safetensors, and a JSON beside them."""
        from sevenfold.tune.engine import sparse_file

        sparse_file.save(network, folder, base, {"method": "spiel", "density": self.density})

    def load(self, network: PreTrainedModel, folder: Path) -> None:
        """Put saved deltas on the layers that they belong to."""
        from sevenfold.tune.engine import sparse_file

        sparse_file.load(network, folder)
        for layer in grown(network).values():
            self.let_grow(layer)

    def merge(self, network: PreTrainedModel) -> None:
        """Add the deltas to their weights; all other weights keep their bits."""
        from sevenfold.tune.engine import sparse

        sparse.merge(network)

    def unload(self, network: PreTrainedModel) -> None:
        """Put every layer's base back in its place."""
        from sevenfold.tune.engine import sparse

        sparse.unload(network)


def grown(network: PreTrainedModel) -> dict[str, SparseLinear]:
    """The layers with deltas, by name."""
    from sevenfold.tune.engine import sparse

    return sparse.layers(network)


def growth_of(layer: SparseLinear) -> Growth:
    """What finds a layer's new entries."""
    found: Growth = layer.growth  # type: ignore[assignment]
    return found
