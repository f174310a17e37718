"""Objectives: what is asked of the outputs. One file each; its name is its name in the recipe."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from sevenfold.registry import Registry
from sevenfold.schema import Component

if TYPE_CHECKING:
    from torch import Tensor

    from sevenfold.chat.conversation import Conversation
    from sevenfold.chat.encoder import Encoder, TokenSequence


class Objective(Component):
    """How a record becomes token sequences, and a pure loss on what the network says of them."""

    @abstractmethod
    def sequences(self, conversation: Conversation, encoder: Encoder) -> list[TokenSequence]:
        """The token sequences of one row, with the weight of every target."""

    @abstractmethod
    def loss(self, logprobs_N: Tensor, weights_N: Tensor) -> Tensor:
        """The loss summed over targets; the trainer divides it by the step's global sum of weights.

        Args:
            logprobs_N: Log-probability, nats, that the network gives to each of N target tokens.
            weights_N: The weight of each target.

        Returns:
            A scalar.
        """


OBJECTIVES = Registry[Objective](__name__, Objective)
