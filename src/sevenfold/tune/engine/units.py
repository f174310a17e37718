"""Heads and feed-forward neurons: which rows and columns of which weights belong to one of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

from sevenfold.errors import ModelError
from sevenfold.tune.engine import bases

if TYPE_CHECKING:
    from transformers import PreTrainedModel

OUTPUTS = ("o_proj", "out_proj", "dense", "wo")
"""Names of the layer behind the heads."""


@dataclass(frozen=True)
class Piece:
    """The part of one weight that belongs to the units of a group.

    Args:
        name: The layer.
        axis: Whether units are rows or columns of its weight.
        width: Neighbouring rows or columns of a unit.
        copies: How many times all units stand one behind the other, as in a fused gate and up projection.
    """

    name: str
    axis: Literal["rows", "columns"]
    width: int
    copies: int = 1

    def places(self, units: Tensor, of: int) -> Tensor:
        """The rows or columns of some of a group's units, ascending; ``of`` is how many units there are."""
        copies = torch.arange(self.copies)[:, None, None] * of * self.width
        rows = units.sort().values[None, :, None] * self.width + torch.arange(self.width)
        return (copies + rows).flatten()

    def sums(self, scores_OI: Tensor, of: int) -> Tensor:
        """The sum of a weight's scores over each unit."""
        by_place = scores_OI.sum(1 if self.axis == "rows" else 0)
        return by_place.view(self.copies, of, self.width).sum((0, 2))


@dataclass(frozen=True)
class Group:
    """Units of one kind side by side: the heads, or the neurons, of one block.

    Args:
        units: How many.
        pieces: Where they lie.
    """

    units: int
    pieces: tuple[Piece, ...]


def linear_by_parent(network: PreTrainedModel, attention: bool) -> Iterator[tuple[str, dict[str, str]]]:
    """Attentions, or other parts, that hold linear layers: the part's name, and its layers' names by the last one."""
    found: dict[str, dict[str, str]] = {}
    for name in bases.linear_names(network):
        if ("attn" in name.lower() or "attention" in name.lower()) == attention:
            parent, _, last = name.rpartition(".")
            found.setdefault(parent, {})[last] = name
    yield from found.items()


def heads(network: PreTrainedModel) -> list[Group]:
    """The heads of each block. Where several queries share keys and values, they are one unit with these.

    A unit's parts are rows of the projections of queries, keys and values and columns of the one behind the heads.

    Raises:
        ModelError: The network's heads cannot be told apart by names and sizes of its layers.
    """
    groups = []
    for _, layers in linear_by_parent(network, attention=True):
        output = next((layers[last] for last in OUTPUTS if last in layers), None)
        inner = [layers.get(f"{kind}_proj") for kind in "qkv"]
        if output and all(inner):
            groups.append(head_group(network, [str(name) for name in inner], output))
    if not groups:
        raise ModelError(
            f"{type(network).__name__} has no layers q_proj, k_proj, v_proj and o_proj, by which heads are told apart",
            next_step="tune.method: {mask: {what: entries}}",
        )
    return groups


def head_group(network: PreTrainedModel, inner: list[str], output: str) -> Group:
    """The units of one attention."""
    config = network.config.get_text_config()
    units = int(getattr(config, "num_key_value_heads", None) or config.num_attention_heads)
    widths = [bases.sizes(network.get_submodule(name))[1] for name in inner]
    behind = bases.sizes(network.get_submodule(output))[0]
    if any(width % units for width in widths) or widths[0] != behind or widths[1] != widths[2]:
        raise ModelError(
            f"the sizes of {inner[0]} ({widths[0]}), keys ({widths[1]}), values ({widths[2]}) and {output} ({behind}) "
            f"are not those of {units} heads",
            next_step="tune.method: {mask: {what: entries}}",
        )
    rows = [Piece(name, "rows", width // units) for name, width in zip(inner, widths, strict=True)]
    return Group(units, (*rows, Piece(output, "columns", behind // units)))


def neurons(network: PreTrainedModel) -> list[Group]:
    """The neurons of each feed-forward part: rows of the layers into it and columns of the layer out of it.

    Raises:
        ModelError: The network has no such part that is made of linear layers.
    """
    hidden = network.config.get_text_config().hidden_size
    groups = []
    for _, layers in linear_by_parent(network, attention=False):
        sizes = {name: bases.sizes(network.get_submodule(name)) for name in layers.values()}
        inward = [name for name, (inputs, outputs) in sizes.items() if inputs == hidden != outputs]
        outward = [name for name, (inputs, outputs) in sizes.items() if outputs == hidden != inputs]
        if len(outward) != 1:
            continue
        units = sizes[outward[0]][0]
        rows = [Piece(name, "rows", 1, sizes[name][1] // units) for name in inward if sizes[name][1] % units == 0]
        if rows:
            groups.append(Group(units, (*rows, Piece(outward[0], "columns", 1))))
    if not groups:
        raise ModelError(
            f"{type(network).__name__} has no feed-forward part of linear layers, hidden size {hidden} in and out",
            next_step="tune.method: {mask: {what: entries}}",
        )
    return groups
