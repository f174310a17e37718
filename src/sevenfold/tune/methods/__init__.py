"""Methods: which parameters change and how. One file each; its name is its name in the recipe."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from sevenfold.registry import Registry
from sevenfold.schema import Component

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel


class Method(Component):
    """What changes in a network.

    The trainer proves that nothing but :meth:`trainable` moved. What :meth:`save` writes loads in the ecosystem.
    """

    adapter: ClassVar[bool]
    """Whether what is saved stands beside the base model (True) or replaces it."""
    differs_at_start: ClassVar[str] = ""
    """Why an attached network answers other than its base before anything has moved; empty: it answers the same."""

    @abstractmethod
    def weights_dtype(self, precision: torch.dtype) -> torch.dtype:
        """The type in which the base weights are held while training at ``precision``."""

    @abstractmethod
    def attach(self, network: PreTrainedModel) -> None:
        """Make the trainable set: add parameters, and set ``requires_grad`` on just those that move.

        New weights are drawn from torch's global generator, which the environment has seeded.
        """

    @abstractmethod
    def save(self, network: PreTrainedModel, folder: Path, base: str) -> None:
        """Write what was learnt into ``folder``, in the ecosystem's format.

        Args:
            network: The network that :meth:`attach` changed.
            folder: An empty folder.
            base: The name of the base model, for the files that name it.
        """

    @abstractmethod
    def load(self, network: PreTrainedModel, folder: Path) -> None:
        """Put what :meth:`save` wrote into a plain base network; the same parameters can move as after attaching."""

    @abstractmethod
    def merge(self, network: PreTrainedModel) -> None:
        """Turn a loaded network into plain weights that give the same outputs."""

    def notes(self, network: PreTrainedModel) -> list[str]:
        """What the user should know of what moves in an attached network; most methods have nothing to add."""
        return []

    def trainable(self, network: PreTrainedModel) -> dict[str, torch.nn.Parameter]:
        """The parameters that move, by name."""
        return {name: weight for name, weight in network.named_parameters() if weight.requires_grad}


METHODS = Registry[Method](__name__, Method)
