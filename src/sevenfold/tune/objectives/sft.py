"""Supervised fine-tuning: learn to write the assistant's turns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sevenfold.tune.objectives import Objective

if TYPE_CHECKING:
    from torch import Tensor

    from sevenfold.chat.conversation import Conversation
    from sevenfold.chat.encoder import Encoder, TokenSequence


class Sft(Objective):
    """The negative log-likelihood of every supervised reply, its end of turn included."""

    def sequences(self, conversation: Conversation, encoder: Encoder) -> list[TokenSequence]:
        """The fewest sequences in which each reply stands behind what a server would send."""
        return encoder.sequences(conversation)

    def loss(self, logprobs_N: Tensor, weights_N: Tensor) -> Tensor:
        """``-sum_i w_i log p_i``."""
        return -(weights_N * logprobs_N).sum()
