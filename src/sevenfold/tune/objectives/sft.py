"""Supervised fine-tuning: learn to write the assistant's turns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sevenfold.tune.objectives import Objective

if TYPE_CHECKING:
    from torch import Tensor

    from sevenfold.chat.encoder import Encoder, TokenSequence
    from sevenfold.prepare.dataset import Row
    from sevenfold.tune.engine.passes import Pass


class Sft(Objective):
    """The negative log-likelihood of every supervised reply, its end of turn included."""

    def sequences(self, row: Row, encoder: Encoder) -> list[TokenSequence]:
        """The fewest sequences in which each reply stands behind what a server would send."""
        return encoder.sequences(row.conversation)

    def loss(self, outputs: Tensor, batch: Pass) -> Tensor:
        """``-sum_i w_i log p_i``."""
        return -(batch.weights_N * outputs).sum()
