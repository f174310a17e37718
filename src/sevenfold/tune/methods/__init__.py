"""Methods: which parameters change and how. One file each; its name is its name in the recipe."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from sevenfold.registry import Registry
from sevenfold.schema import Component

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.engine.moving import Mover
    from sevenfold.tune.section import TuneSection
    from sevenfold.tune.several.routing import Routing


@dataclass(frozen=True)
class Moment:
    """Where a training stands; what a method draws or chooses is a function of this and of its own state.

    Args:
        step: Steps that are behind.
        total: Steps of the whole training.
        seed: The environment's.
    """

    step: int
    total: int
    seed: int

    def generator(self) -> torch.Generator:
        """Random numbers of this step alone, on the CPU: the same after a resume."""
        import torch

        return torch.Generator().manual_seed((self.seed * 1_000_003 + self.step) % 2**63)


@dataclass(frozen=True)
class Needs:
    """What a method's steps need beside weights and activations; for the plan of memory and time.

    Args:
        optimizer_bytes: Bytes of the optimiser's state.
        weight_bytes: Bytes of an element of what moves, and of its gradient.
        in_backward: Whether each weight moves in the backward pass: one gradient exists at a time.
        backward: Whether there is a backward pass.
        rounds: Times that a step's rows go through the network, forward and, where there is one, backward.
    """

    optimizer_bytes: int
    weight_bytes: int = 4
    in_backward: bool = False
    backward: bool = True
    rounds: int = 1


class Method(Component):
    """What changes in a network.

    The trainer proves that nothing but :meth:`trainable` moved. What :meth:`save` writes loads in the ecosystem.
    """

    adapter: ClassVar[bool]
    """Whether what is saved stands beside the base model (True) or replaces it."""
    differs_at_start: ClassVar[str] = ""
    """Why an attached network answers other than its base before anything has moved; empty: it answers the same."""

    wanders: ClassVar[bool] = False
    """Whether a number of :meth:`trainable` may come to stand for another weight of the network on the way."""
    trains: ClassVar[bool] = True
    """Whether there is anything to train; without, the stage keeps what :meth:`save` writes and takes no step."""
    mergeable: ClassVar[bool] = True
    """Whether what was learnt can be written as plain weights of the base's own architecture."""

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
        """Turn a loaded network into plain weights that give the same outputs; only where :attr:`mergeable`."""

    def unload(self, network: PreTrainedModel) -> None:
        """Take the adapter off: the base again, bit for bit. Only where :attr:`adapter`."""
        raise NotImplementedError(f"{type(self).__name__} moves the network's own weights")

    def notes(self, network: PreTrainedModel) -> list[str]:
        """What the user should know of what moves in an attached network; most methods have nothing to add."""
        return []

    def trainable(self, network: PreTrainedModel) -> dict[str, torch.nn.Parameter]:
        """The parameters that move, by name."""
        return {name: weight for name, weight in network.named_parameters() if weight.requires_grad}

    def outside(self) -> dict[str, str]:
        """Fingerprints of files that the method's fields name, by path; they are part of the stage's identity."""
        return {}

    def routing(self) -> Routing | None:
        """How rows are told apart by task, where a method treats them differently; None: all rows are alike."""
        return None

    def select(self, network: PreTrainedModel, task: str) -> None:
        """Let a network answer with one task's adapter; only where :meth:`routing` tells tasks apart."""
        raise NotImplementedError(f"{type(self).__name__} learns one thing for all rows")

    def lead(self, vocabulary: int) -> list[int]:
        """The ids of virtual tokens that stand before every conversation, behind those of the vocabulary."""
        return []

    def rates(self, network: PreTrainedModel) -> dict[str, float]:
        """Factors of the learning rate by parameter; what is not named has 1."""
        return {}

    def state(self, network: PreTrainedModel) -> dict[str, torch.Tensor]:
        """What else the next steps depend on, by name: live tensors, kept in checkpoints and filled by a resume."""
        return {}

    def begin(self, network: PreTrainedModel, moment: Moment) -> None:
        """Before a step's passes: choose what moves, or what is drawn, in this step."""

    def before_move(self, network: PreTrainedModel, moment: Moment) -> None:
        """Gradients are whole and nothing has moved; gradients may be read and changed, clipping comes behind."""

    def moved(self, network: PreTrainedModel, moment: Moment) -> None:
        """The optimiser has moved the weights; gradients are gone."""

    def check(self, section: TuneSection) -> None:
        """Refuse what the rest of the recipe's section asks and this method cannot do.

        Raises:
            RecipeError: The two have no meaning together.
        """

    def needs(self, section: TuneSection, network: PreTrainedModel, precision: torch.dtype) -> Needs:
        """What the steps need; as it stands, the optimiser's state for all that moves.

        Args:
            section: The recipe's section.
            network: With the method attached; values of weights are not read.
            precision: The type of matrix products.
        """
        state = section.optimizer.state_bytes(self.trainable(network))
        return Needs(optimizer_bytes=state, in_backward=section.engine.step_in_backward)

    def mover(self, forward: Forward, section: TuneSection, weights: Mapping[str, torch.nn.Parameter]) -> Mover:
        """How gradients are made and weights move; a method may bring its own."""
        from sevenfold.tune.engine.moving import mover

        return mover(forward, section, weights, self.rates(forward.network))


METHODS = Registry[Method](__name__, Method)
