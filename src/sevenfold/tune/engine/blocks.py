"""The network's blocks: the stack of equal layers between the embeddings and the head."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from sevenfold.errors import ModelError, RecipeError

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def stack(network: PreTrainedModel) -> tuple[str, nn.ModuleList]:
    """The full name and the list of the blocks, lowest first.

    It is the outermost list with as many parts as the configuration has hidden layers.

    Raises:
        ModelError: The network has no such list.
    """
    layers = network.config.get_text_config().num_hidden_layers
    found = [
        (name, part)
        for name, part in network.named_modules()
        if isinstance(part, nn.ModuleList) and len(part) == layers
    ]
    if not found:
        raise ModelError(f"{type(network).__name__} has no list of {layers} blocks", next_step="tune.method: lora")
    return min(found, key=lambda item: item[0].count("."))


def stacks(network: PreTrainedModel) -> list[tuple[str, nn.ModuleList]]:
    """The blocks of a network, or those of the encoder and those of the decoder, with the lists' full names.

    Raises:
        ModelError: The network has no such list.
    """
    if not network.config.is_encoder_decoder:
        return [stack(network)]
    names = {part: name for name, part in network.named_modules()}
    halves = (network.get_encoder(), network.get_decoder())
    return [
        min(
            ((name, part) for name, part in half.named_modules(prefix=names[half]) if isinstance(part, nn.ModuleList)),
            key=lambda item: item[0].count("."),
        )
        for half in halves
    ]


def named(network: PreTrainedModel) -> dict[str, nn.Module]:
    """All blocks by their full names, lowest first, an encoder's before the decoder's."""
    return {f"{name}.{number}": block for name, blocks in stacks(network) for number, block in enumerate(blocks)}


def ends(network: PreTrainedModel, first: int, last: int, where: str) -> list[str]:
    """The full names of the lowest ``first`` and the highest ``last`` blocks.

    Args:
        network: Its weights are not read.
        first: Blocks counted from the embeddings.
        last: Blocks counted from the head.
        where: The place in the recipe that asks for them.

    Raises:
        RecipeError: There are fewer blocks.
    """
    name, blocks = stack(network)
    if first + last > len(blocks):
        raise RecipeError(
            f"first = {first} and last = {last} are more blocks than there are",
            where=where,
            expected=f"at most {len(blocks)} together, the blocks of {type(network).__name__}",
            next_step="fewer blocks; or tune.method: full, for all of the network",
        )
    return [f"{name}.{index}" for index in (*range(first), *range(len(blocks) - last, len(blocks)))]
