"""Adapters from files beside a network's layers, and off again: one network answers as each of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sevenfold.errors import ModelError
from sevenfold.tune.adapter_file import put
from sevenfold.tune.methods.lora import adapters, replace

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from sevenfold.tune.several.files import LoraFile


@contextmanager
def answering(network: PreTrainedModel, file: LoraFile | None) -> Iterator[None]:
    """The network with an adapter beside its layers inside the block; the base, bit for bit, behind it.

    Args:
        network: A plain network.
        file: The adapter; None: the base itself.

    Raises:
        ModelError: The network has no such layers.
    """
    try:
        if file:
            put_in(network, file)
        yield
    finally:
        for name, layer in adapters(network).items():
            replace(network, name, layer.base_layer)


def put_in(network: PreTrainedModel, file: LoraFile) -> None:
    """Put an adapter beside the layers of a plain network.

    Raises:
        ModelError: The network has no such layers.
    """
    from sevenfold.tune.engine.lora import LoraLinear

    for name in file.names:
        pair = file.pair(name)
        assert pair is not None
        try:
            layer = LoraLinear(network.get_submodule(name), pair.rank, pair.scale)
            put(layer.lora_A.weight, pair.down_RI)
            put(layer.lora_B.weight, pair.up_OR)
        except (AttributeError, TypeError, ValueError) as error:
            raise ModelError(
                f"the adapter does not fit {type(network).__name__}: {name}: {str(error).splitlines()[0]}",
                where=str(file.folder),
                expected="the base model that it was trained on",
            ) from error
        replace(network, name, layer)
