"""Trained keys and values in the places of virtual tokens, at every attention layer."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from sevenfold.errors import ModelError
from sevenfold.tune.engine import bases
from sevenfold.tune.engine.beside import Beside
from sevenfold.tune.engine.blocks import stack
from sevenfold.tune.engine.probe import trunk
from sevenfold.tune.engine.virtual import Lead

if TYPE_CHECKING:
    from torch.utils.hooks import RemovableHandle
    from transformers import PreTrainedModel

KEYS = ("k_proj", "key", "key_proj", "k", "k_lin")
VALUES = ("v_proj", "value", "value_proj", "v", "v_lin")
"""Last parts of the names of the projections."""
SMALL = 2**16
"""Weights up to which a tensor is copied to compute what a cache holds; larger ones are no part of it."""


class Rows(Beside):
    """On a projection: trained rows are what it gives for virtual tokens.

    Args:
        lead: Knows where they stand.
        vectors: Gives the rows, ``P x O``.
    """

    def __init__(self, lead: Lead, vectors: nn.Module) -> None:
        super().__init__()
        self.lead, self.vectors = (lead,), vectors

    def hooks(self, layer: nn.Module) -> list[RemovableHandle]:
        """Behind the projection."""
        return [layer.register_forward_hook(self.replace)]

    def replace(self, layer: nn.Module, inputs: object, output: Tensor) -> Tensor:
        """What the projection gives, with the rows in their places."""
        return self.lead[0].laid(self.vectors(), output)


class Narrow(nn.Module):
    """The part of the reparametrisation that all layers share: ``tanh(W e + b)`` of a trained embedding e.

    Args:
        count: Virtual tokens.
        width: Of the embedding.
        hidden: Of what it gives.
    """

    def __init__(self, count: int, width: int, hidden: int) -> None:
        super().__init__()
        self.embedding, self.down = nn.Embedding(count, width), nn.Linear(width, hidden)

    def forward(self) -> Tensor:
        """``P x hidden``."""
        return torch.tanh(self.down(self.embedding.weight))


class Wide(nn.Module):
    """The part of the reparametrisation that is a projection's own.

    Args:
        narrow: The shared part.
        hidden: Its width.
        outputs: Width of the projection.
    """

    def __init__(self, narrow: Narrow, hidden: int, outputs: int) -> None:
        super().__init__()
        self.narrow, self.up = (narrow,), nn.Linear(hidden, outputs)

    def forward(self) -> Tensor:
        """``P x outputs``."""
        rows: Tensor = self.up(self.narrow[0]())
        return rows


def projections(network: PreTrainedModel) -> list[tuple[nn.Module, nn.Module]]:
    """The key and the value projection of every block, lowest first.

    Raises:
        ModelError: A block has none of its own, or not one of each; or they are of several widths.
    """
    found = [(named(block, KEYS), named(block, VALUES)) for block in stack(network)[1]]
    if network.config.is_encoder_decoder or any(len(part) != 1 for pair in found for part in pair):
        raise ModelError(
            f"{type(network).__name__} has no projection of just the keys, and one of just the values, in every block",
            expected="attention whose keys and values are layers of their own: a prefix stands in the place of both",
            next_step="tune.method: prompt, which any network takes",
        )
    pairs = [(keys[0], values[0]) for keys, values in found]
    widths = {bases.sizes(part)[1] for pair in pairs for part in pair}
    if len(widths) > 1:
        raise ModelError(
            f"the keys and values of {type(network).__name__} are of several widths: {sorted(widths)}",
            expected="one width; the file of a prefix has one for all",
            next_step="tune.method: prompt, which any network takes",
        )
    return pairs


def named(block: nn.Module, names: Sequence[str]) -> list[nn.Module]:
    """The linear layers of a block whose names end so."""
    return [part for name, part in block.named_modules() if name.rpartition(".")[2] in names and bases.fits(part)]


@torch.no_grad()
def words(network: PreTrainedModel, count: int) -> list[tuple[Tensor, Tensor]]:
    """What the projections give for as many words drawn from the vocabulary: keys and values of each block, ``P x O``.

    Raises:
        ModelError: The network's cache does not hold what the projections give.
    """
    pairs = projections(network)
    given: dict[nn.Module, Tensor] = {}

    def keep(layer: nn.Module, inputs: object, output: Tensor) -> None:
        given[layer] = output.reshape(count, -1)

    handles = [part.register_forward_hook(keep) for pair in pairs for part in pair]
    try:
        ids = torch.randint(network.config.get_text_config().vocab_size, (1, count))
        kept = held(network, ids.to(network.device))
    finally:
        for handle in handles:
            handle.remove()
    width, shapes = bases.sizes(pairs[0][0])[1], {tensor.shape for tensor in kept}
    whole = {(shape[2], shape.numel()) for shape in shapes} == {(count, count * width)}
    if not len(given) == len(kept) == 2 * len(pairs) or len(shapes) > 1 or not whole:
        raise ModelError(
            f"{type(network).__name__} keeps other things in its cache than the keys and values of every block",
            next_step="tune.method: prompt, which any network takes",
        )
    return [(given[keys], given[values]) for keys, values in pairs]


def held(network: Any, ids_1T: Tensor) -> list[Tensor]:
    """What a cache holds behind some ids: each block's keys, then its values, ``1 x G x T x D``."""
    from transformers import DynamicCache

    cache: Any = DynamicCache()
    trunk(network)(input_ids=ids_1T, past_key_values=cache, use_cache=True)
    return [tensor for layer in cache.layers for tensor in (layer.keys, layer.values)]


@torch.no_grad()
def cached(network: PreTrainedModel, lead: Sequence[int]) -> Tensor:
    """What the network's cache holds behind the virtual tokens, in float32: ``P x 2 L x G x D``, key, value, key, ...

    Keys of a cache are normalised and rotated, as the network itself does it; what stands at other places and in other
    weights is no part of that. So it is read off a copy of the network in which all large weights are zero and take no
    memory, whatever the precision of the network.
    """
    own = {id(weight) for weight in network.parameters() if weight.requires_grad}
    blank = {
        id(weight): nn.Parameter(
            weight.detach().float().clone()
            if id(weight) in own or weight.numel() <= SMALL
            else torch.zeros((), device=weight.device).expand(weight.shape),
            requires_grad=False,
        )
        for weight in network.parameters()
    }
    twin = copy.deepcopy(network, blank)
    twin.set_attn_implementation("eager")
    twin.eval()
    kept = held(twin, torch.tensor([list(lead)], device=network.device))
    return torch.stack([tensor[0].transpose(0, 1) for tensor in kept], dim=1).float().cpu()
