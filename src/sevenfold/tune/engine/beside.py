"""Trained weights that hang on a layer of the network: the layer stays as it is, and so do the names of its weights."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from torch import nn

if TYPE_CHECKING:
    from torch.utils.hooks import RemovableHandle

NAME = "beside"
"""The name of what hangs on a layer, among the layer's children."""


class Beside(nn.Module):
    """Changes what goes into a layer or comes out of it, by public hooks."""

    handles: list[RemovableHandle]

    def hang(self, layer: nn.Module) -> None:
        """Put the hooks on."""
        layer.add_module(NAME, self)
        self.handles = self.hooks(layer)

    @abstractmethod
    def hooks(self, layer: nn.Module) -> list[RemovableHandle]:
        """The hooks, put on a layer."""


def all_of(network: nn.Module) -> dict[str, Beside]:
    """What hangs in a network, by the names of the layers."""
    return {name.removesuffix(f".{NAME}"): part for name, part in network.named_modules() if isinstance(part, Beside)}


def take_off(network: nn.Module) -> None:
    """Take everything off; the network is as it was."""
    for name, part in all_of(network).items():
        for handle in part.handles:
            handle.remove()
        delattr(network.get_submodule(name), NAME)
