"""The network's blocks: the stack of equal layers between the embeddings and the head."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from sevenfold.errors import ModelError

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
