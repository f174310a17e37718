"""What objectives with a head on the states of a text have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from sevenfold.errors import DataError
from sevenfold.tune.objectives import Objective

if TYPE_CHECKING:
    from torch import Tensor

    from sevenfold.chat.encoder import Encoder, TokenSequence
    from sevenfold.load.model import Model
    from sevenfold.prepare.dataset import Dataset, Row
    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.engine.passes import Pass

State = Literal["last", "first", "mean"]


class Reading(Objective):
    """A head on the states of a prompt; the last reply of a row is the label's text.

    The network reads what a server would send for the row, so the same prompt asks a model that writes its answers.
    """

    targets = "prompt"
    here: ClassVar[bool] = True
    writes: ClassVar[bool] = False

    dropout: float = Field(0.0, ge=0, lt=1, description="The share of a state's figures that the head does not see.")


class OneLabel(Objective):
    """What is learnt of a text is one label of several."""

    here: ClassVar[bool] = True
    writes: ClassVar[bool] = False

    labels: tuple[str, ...] = Field((), description="The labels; default: those of the training rows, sorted.")

    @property
    def measures(self) -> tuple[Any, ...]:
        """Accuracy and macro-F1."""
        return ("accuracy", "macro_f1")

    @property
    def columns(self) -> tuple[str, ...]:
        """The label's number."""
        return ("label",)


def read_prompt(row: Row, encoder: Encoder) -> list[int]:
    """The ids of what stands before a row's label, virtual tokens included.

    Raises:
        DataError: Nothing does.
    """
    prompt = row.conversation.prompt()
    if not prompt or not row.conversation.replies:
        raise DataError(
            "there is no text before the label" if row.conversation.replies else "the row has no label",
            where=row.origin,
            expected="a question whose last reply is the label",
            next_step="prepare.format: {labelled: {text: your_column, label: your_other}}",
        )
    return encoder.prompt(prompt)


def row_weight(row: Row) -> float:
    """The weight of a row: its label's."""
    return row.conversation.messages[row.conversation.replies[-1]].weight


def places_of(state: State, lead: int, length: int) -> range:
    """The tokens from whose states a text is read; virtual tokens before it are none."""
    return {"last": range(length - 1, length), "first": range(lead, lead + 1), "mean": range(lead, length)}[state]


def not_of_the_last(state: State, model: Model) -> str | None:
    """Why a head on a text's state has no class of transformers; None where it has one."""
    if model.card.kind == "encoder":
        return "transformers' classifiers of encoders have layers of their own between state and label"
    if state == "last":
        return None
    return f"transformers' classifiers of causal models read the last token's state, this one reads {state}"


def weighted(length: int, places: Sequence[int], weight: float) -> list[float]:
    """A weight at some tokens, 0 elsewhere."""
    found = [0.0] * length
    for place in places:
        found[place] = weight
    return found


def states(forward: Forward, batch: Pass) -> Tensor:
    """The targets' own states, ``N x D``."""
    with forward.autocast():
        return forward.hidden(batch.to(str(forward.device)))


def read(forward: Forward, sequences: Sequence[TokenSequence]) -> tuple[Tensor, Pass]:
    """The states of some texts side by side, and the pass that they are of."""
    from sevenfold.tune.engine.passes import pack

    batch = pack(sequences, here=True).to(str(forward.device))
    return states(forward, batch), batch


def labels_of(dataset: Dataset) -> Iterator[tuple[Row, str]]:
    """The training rows with their labels' texts."""
    for row in dataset.rows("train"):
        yield row, row.conversation.reference().strip()


unknown = partial(
    DataError, next_step="give all labels in tune.objective, or hold rows out with prepare.split.how: stratified"
)
"""The error for a label that is none of those that are known."""
