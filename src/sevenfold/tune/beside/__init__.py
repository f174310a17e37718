"""What stands beside an objective in a training's loss. One file each; its name is its name in the recipe."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from sevenfold.registry import Registry
from sevenfold.schema import Component

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor, nn

    from sevenfold.chat.encoder import Encoder
    from sevenfold.load.model import Model
    from sevenfold.prepare.dataset import Dataset, Row
    from sevenfold.record import Entry
    from sevenfold.setup.environment import Environment
    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.engine.passes import Pass
    from sevenfold.tune.methods import Moment
    from sevenfold.tune.objectives import Figures, Objective
    from sevenfold.tune.section import TuneSection


@dataclass(frozen=True)
class Start:
    """A training before its first step.

    Args:
        section: The recipe's section.
        forward: The network, the method attached.
        weights: What the method moves, by name, with the values that it starts from; a head that the objective has
            beside the network is not among them, for it starts from nothing.
        model: The base model.
        environment: Device, precision and seed.
        entry: The stage's folder, notes and progress.
    """

    section: TuneSection
    forward: Forward
    weights: Mapping[str, nn.Parameter]
    model: Model
    environment: Environment
    entry: Entry

    @property
    def folder(self) -> Path:
        """Where a term keeps what a resumed training needs again; it goes when the training is over."""
        return self.entry.folder / "beside"

    @property
    def encoder(self) -> Encoder:
        """The model's encoder, with the virtual tokens that the method puts before every conversation."""
        return self.model.encoder(self.section.method.lead(self.model.card.vocabulary))


class Working:
    """A term at work.

    A step's loss is ``(W L + sum_k W_k L_k) / (W + sum_k W_k) + sum_k P_k``: the objective's mean loss L with its
    weight W, the mean losses of terms that read rows of their own, and what terms ask of the weights.

    Args:
        name: Its name in figures.
    """

    passes: int = 0
    """How many losses :meth:`losses` gives in this step."""

    def __init__(self, name: str) -> None:
        self.name = name

    def begin(self, moment: Moment) -> None:
        """Before a step's passes; what is drawn is a function of the moment."""

    def weight(self, objective: float) -> float:
        """``W_k``; as it stands none.

        Args:
            objective: The weight of the objective's rows in this step.
        """
        return 0.0

    def losses(self, share: float, figures: Figures | None) -> Iterator[Tensor]:
        """``share * L_k`` in parts, each a pass through the network of its own.

        Args:
            share: ``W_k`` among all weights.
            figures: What is worth watching is added here.
        """
        yield from ()

    def penalty(self) -> Tensor | None:
        """``P_k``: of the weights alone, without a pass through the network; None: nothing."""
        return None

    def factors(self, objective: Objective, batch: Sequence[Pass]) -> list[float] | None:
        """What each pass's summed loss is multiplied by in the objective's mean; None: one over the weight of all."""
        return None

    def seen(self, number: int, loss: Tensor) -> None:
        """The summed loss of one of the passes that :meth:`factors` was given, before it is multiplied."""

    def moved(self) -> None:
        """The weights have moved."""

    def state(self) -> dict[str, Tensor]:
        """What the next steps depend on: live tensors, kept in checkpoints and filled by a resume."""
        return {}


class Term(Component):
    """What is asked beside the objective, with every objective and every method.

    It is in the loss of training; validation's is the objective's alone, so that trainings with and without it compare.
    """

    column: ClassVar[str] = ""
    """The name of a figure that :meth:`mark` gives every token of a row; empty: none."""

    @abstractmethod
    def start(self, at: Start, name: str) -> Working:
        """Make ready before the first step; in a resumed training as well, from the same start.

        Args:
            at: The training.
            name: The term's name in figures.

        Raises:
            SevenfoldError: The network or the rows have not what the term needs.
        """

    def settled(self, dataset: Dataset) -> Self:
        """The term with what it takes from the training rows; most take nothing.

        Raises:
            DataError: The rows have not what the term needs.
        """
        return self

    def mark(self, row: Row) -> float:
        """The figure of a row where there is a :attr:`column`.

        Raises:
            DataError: The row has not what the term needs.
        """
        raise NotImplementedError(type(self).__name__)

    def every(self) -> list[str]:
        """What the figures of :attr:`column` stand for, from 0 on."""
        return []

    def rows_share(self, batch: int) -> float:
        """Rows that a step reads beside those of the objective, as a share of these."""
        return 0.0

    def state_bytes(self, weights: Mapping[str, nn.Parameter]) -> int:
        """Bytes that are held for named weights, whose values are not read."""
        return 0

    def outside(self) -> dict[str, str]:
        """Fingerprints of files that fields name, by path."""
        return {}

    def check(self, section: TuneSection) -> None:
        """Refuse what the rest of the recipe's section asks and this term cannot do.

        Raises:
            RecipeError: The two have no meaning together.
        """


TERMS = Registry[Term](__name__, Term)
