"""Supervised fine-tuning: learn to write the assistant's turns."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from sevenfold.errors import DataError
from sevenfold.tune.objectives import Objective

if TYPE_CHECKING:
    from torch import Tensor

    from sevenfold.chat.encoder import Encoder, TokenSequence
    from sevenfold.prepare.dataset import Row
    from sevenfold.tune.engine.passes import Pass


class Sft(Objective):
    """The negative log-likelihood of every supervised reply, its end of turn included.

    ``-sum_i w_i log p_i / sum_i w_i`` over the tokens of the replies; w is the turn's own weight (``weight`` of a
    message) times the row's.
    """

    language: ClassVar[bool] = True

    weights: str | None = Field(
        None, description="A column with each row's weight in the loss, above 0; not given: all count the same."
    )

    def sequences(self, row: Row, encoder: Encoder) -> list[TokenSequence]:
        """The fewest sequences in which each reply stands behind what a server would send.

        Raises:
            DataError: The row's weight is no number above 0.
        """
        found, weight = encoder.sequences(row.conversation), self.weight_of(row)
        for sequence in found if weight != 1 else ():
            sequence.weights = [weight * one for one in sequence.weights]
        return found

    def weight_of(self, row: Row) -> float:
        """How much a row counts; 1 where the rows have no weights.

        Raises:
            DataError: There is no such column, or it holds no number above 0.
        """
        if self.weights is None:
            return 1.0
        value = row.fields.get(self.weights)
        try:
            weight = float(value or "")
        except ValueError:
            weight = 0.0
        if not 0 < weight < float("inf"):
            raise DataError(
                f"the row's weight is {value!r}",
                where=f"{row.origin}, column {self.weights!r}",
                expected="a number above 0",
                value=self.weights,
                alternatives=row.fields,
                next_step="correct it, name the column in prepare.keep, or leave tune.objective.sft.weights out",
            )
        return weight

    def loss(self, outputs: Tensor, batch: Pass) -> Tensor:
        """``-sum_i w_i log p_i``."""
        return -(batch.weights_N * outputs).sum()
