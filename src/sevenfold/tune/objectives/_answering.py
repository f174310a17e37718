"""What a tuned model does with a prompt, and how that is measured; as it stands, it writes an answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from sevenfold.errors import ModelError
from sevenfold.generate.labels import Labelled, Whole
from sevenfold.schema import Component

if TYPE_CHECKING:
    from torch import Tensor, nn

    from sevenfold.chat.asked import Asked
    from sevenfold.chat.encoder import Encoder, TokenSequence
    from sevenfold.load.model import Model
    from sevenfold.prepare.dataset import Row
    from sevenfold.tune.engine.forward import Forward


class Answering(Component):
    """The half of an objective that is asked once the training is over."""

    writes: ClassVar[bool] = True
    """Whether the tuned model writes its answers; otherwise :meth:`answers` says them."""
    embeds: ClassVar[bool] = False
    """Whether the tuned model turns texts into vectors; :meth:`vectors` gives them."""
    answers_untuned: ClassVar[bool] = False
    """Whether :meth:`answers`, or :meth:`vectors`, mean something before anything is learnt: the base is asked so."""

    @property
    def measures(self) -> tuple[Any, ...]:
        """The metrics of a recipe that names none, as a recipe writes them; empty: those of text that is written."""
        return ()

    def asked(self, row: Row, encoder: Encoder, context: int) -> Asked | None:
        """How a held-out row is asked and scored where that is not its last reply behind what was said before.

        Args:
            row: The row.
            encoder: Without virtual tokens.
            context: Tokens that both models can attend to.
        """
        return None

    def answers(self, forward: Forward, encoder: Encoder, prompts: Sequence[list[int]]) -> list[Labelled]:
        """What a tuned network answers to prompts, where it does not write its answers.

        Args:
            forward: The network with what the objective has beside it; no gradients, no dropout.
            encoder: Reads the prompts back.
            prompts: As a server would send them.
        """
        raise NotImplementedError(type(self).__name__)

    def vectors(self, forward: Forward, encoder: Encoder, texts: Sequence[str], query: bool = False) -> Tensor:
        """The vectors of some texts, ``B x D``, where the tuned model turns texts into vectors."""
        raise NotImplementedError(type(self).__name__)

    def judge(self, forward: Forward, sequences: Sequence[TokenSequence]) -> list[float]:
        """What the answers of some sequences are worth, higher is better, where the tuned network judges answers.

        Args:
            forward: As of :meth:`answers`.
            sequences: Prompts with one answer each, whose tokens alone have weights.

        Raises:
            ModelError: It judges none.
        """
        raise ModelError(f"a model that is tuned by {type(self).__name__.lower()} does not judge answers")

    def unread(self) -> Labelled:
        """The best answer of who has not read the prompt: what a base that cannot write is measured by."""
        raise NotImplementedError(type(self).__name__)

    def whole(self, own: nn.Module) -> Whole | None:
        """How network and what is beside it are one model of transformers; None: the network alone is the tuned one."""
        return None

    def apart(self, model: Model) -> str | None:
        """Why no class of transformers computes what the two do together; None where there is one."""
        return None
