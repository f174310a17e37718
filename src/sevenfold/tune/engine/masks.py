"""Which entries of a network's weights may move: single ones, or those of chosen heads, neurons or blocks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

from sevenfold.tune.engine import bases, blocks, sparse
from sevenfold.tune.engine.growth import spread
from sevenfold.tune.engine.sparse import SparseLinear
from sevenfold.tune.engine.units import Group

if TYPE_CHECKING:
    from transformers import PreTrainedModel

By = Literal["random", "magnitude", "importance"]


def counted(share: float, of: int) -> int:
    """How many of some a share is, at least one."""
    return max(1, round(share * of))


def drawn(of: int, count: int) -> Tensor:
    """Some of 0 .. ``of``, each once, from torch's global generator."""
    return torch.randperm(of)[:count]


def size(layer: SparseLinear | torch.nn.Module) -> Tensor:
    """The absolute values of a layer's weight, ``O x I``, float32."""
    if isinstance(layer, SparseLinear):
        return layer.base_weight().float().abs()
    return bases.dense(layer, torch.float32).abs()


class Scores:
    """What the first pass says of a layer: ``|w dL/dw|`` of every weight, reduced at once to what is needed.

    The deltas get a gradient of zero, so that nothing moves before it is chosen.

    Args:
        layer: To be watched; its deltas are zero.
        reduce: What is kept of ``O x I`` scores.
    """

    def __init__(self, layer: SparseLinear, reduce: Callable[[Tensor], Tensor]) -> None:
        self.layer, self.reduce = layer, reduce
        self.kept: Tensor | None = None
        layer.watch = self

    def __call__(self, x_TI: Tensor, dy_TO: Tensor) -> Tensor:
        """Score in the first pass that comes."""
        if self.kept is None:
            self.kept = self.reduce((dy_TO.t() @ x_TI).float().abs_().mul_(size(self.layer)))
        return torch.zeros_like(self.layer.deltas)


class Choice(ABC):
    """Which places of a network's weights move.

    Args:
        share: Of the units or entries.
    """

    def __init__(self, share: float) -> None:
        self.share = share

    @abstractmethod
    def attach(self, network: PreTrainedModel, by: By) -> None:
        """Put deltas in their places; those that importance will choose begin at the first ones."""

    @abstractmethod
    def watch(self, network: PreTrainedModel) -> None:
        """Score all weights in the next pass."""

    @abstractmethod
    def settle(self, network: PreTrainedModel) -> None:
        """Move the deltas to the places with the highest scores."""


class Entries(Choice):
    """Single entries of every weight, the same share of each."""

    def attach(self, network: PreTrainedModel, by: By) -> None:
        """Deltas on every linear layer but the head."""
        for name in bases.linear_names(network):
            base = network.get_submodule(name)
            inputs, outputs = bases.sizes(base)
            sparse.wrap(network, name, "entries", self.first(base, inputs * outputs, by))

    def first(self, base: torch.nn.Module, entries: int, by: By) -> Tensor:
        """The entries of one weight that are chosen without data."""
        count, device = counted(self.share, entries), next(base.parameters()).device
        if device.type == "meta" or by == "importance":
            return torch.arange(count, device=device)
        if by == "random":
            return spread(entries, count).to(device)
        return best_entries(size(base), count)

    def watch(self, network: PreTrainedModel) -> None:
        """Keep the best entries of each weight."""
        for layer in sparse.layers(network).values():
            Scores(layer, partial(best_entries, count=len(layer.places)))

    def settle(self, network: PreTrainedModel) -> None:
        """Take them."""
        for layer in sparse.layers(network).values():
            found = taken(layer)
            if found is not None:
                layer.places.copy_(found)


class Units(Choice):
    """Heads or neurons: the same share of each block's.

    Args:
        share: Of the units.
        groups: Finds the units of a network.
    """

    def __init__(self, share: float, groups: Callable[[PreTrainedModel], list[Group]]) -> None:
        super().__init__(share)
        self.groups = groups

    def attach(self, network: PreTrainedModel, by: By) -> None:
        """Deltas on the rows and columns of the chosen units."""
        groups = self.groups(network)
        # Kept, because layers with deltas are no longer found by their form.
        network.units = groups  # type: ignore[assignment]
        for group in groups:
            units = self.first(network, group, by)
            for piece in group.pieces:
                device = next(network.get_submodule(piece.name).parameters()).device
                sparse.wrap(network, piece.name, piece.axis, piece.places(units, group.units).to(device))

    def first(self, network: PreTrainedModel, group: Group, by: By) -> Tensor:
        """The units that are chosen without data."""
        count = counted(self.share, group.units)
        layers = [network.get_submodule(piece.name) for piece in group.pieces]
        if by == "importance" or next(layers[0].parameters()).is_meta:
            return torch.arange(count)
        if by == "random":
            return drawn(group.units, count)
        sums = [piece.sums(size(layer), group.units) for piece, layer in zip(group.pieces, layers, strict=True)]
        return best(torch.stack(sums).sum(0), count)

    def watch(self, network: PreTrainedModel) -> None:
        """Keep each unit's sum."""
        layers = sparse.layers(network)
        for group in units_of(network):
            for piece in group.pieces:
                Scores(layers[piece.name], partial(piece.sums, of=group.units))

    def settle(self, network: PreTrainedModel) -> None:
        """Take the units with the largest sums over all their parts."""
        layers = sparse.layers(network)
        for group in units_of(network):
            sums = [found for piece in group.pieces if (found := taken(layers[piece.name])) is not None]
            if sums:
                units = best(torch.stack(sums).sum(0), counted(self.share, group.units)).cpu()
                for piece in group.pieces:
                    layers[piece.name].places.copy_(piece.places(units, group.units))


class Blocks(Choice):
    """Whole blocks: all weights of their linear layers."""

    def attach(self, network: PreTrainedModel, by: By) -> None:
        """Deltas on every row of the chosen blocks."""
        linear = bases.linear_names(network)
        inside = [[part for part in linear if part.startswith(f"{name}.")] for name in blocks.named(network)]
        for number in self.first(network, inside, by):
            for part in inside[number]:
                base = network.get_submodule(part)
                rows = torch.arange(bases.sizes(base)[1], device=next(base.parameters()).device)
                sparse.wrap(network, part, "rows", rows)

    def first(self, network: PreTrainedModel, inside: list[list[str]], by: By) -> Iterable[int]:
        """The numbers of the chosen blocks."""
        count = counted(self.share, len(inside))
        if next(network.parameters()).is_meta:
            return range(count)
        if by == "random":
            return drawn(len(inside), count).tolist()
        sums = [sum(float(size(network.get_submodule(part)).sum()) for part in parts) for parts in inside]
        return best(torch.tensor(sums), count).tolist()

    def watch(self, network: PreTrainedModel) -> None:
        """Blocks are chosen before the training."""

    def settle(self, network: PreTrainedModel) -> None:
        """Blocks are chosen before the training."""


def best(scores: Tensor, count: int) -> Tensor:
    """The places of the highest scores, ascending."""
    return scores.topk(count).indices.sort().values


def best_entries(scores_OI: Tensor, count: int) -> Tensor:
    """The flat places of the highest scores, ascending."""
    return best(scores_OI.reshape(-1), count)


def units_of(network: PreTrainedModel) -> list[Group]:
    """The units that an attached network was split into."""
    found: list[Group] = network.units  # type: ignore[assignment]
    return found


def taken(layer: SparseLinear) -> Tensor | None:
    """What the layer's scores came to, and an end of the watch; None where no pass went through the layer."""
    scores, layer.watch = layer.watch, None
    return scores.kept if isinstance(scores, Scores) else None
