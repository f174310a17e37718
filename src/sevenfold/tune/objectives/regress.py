"""Regression: a number for a text, by a head on its states."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from sevenfold.errors import DataError, RecipeError
from sevenfold.generate.labels import Whole
from sevenfold.tune.objectives._labels import (
    Reading,
    State,
    labels_of,
    not_of_the_last,
    places_of,
    read,
    read_prompt,
    row_weight,
    states,
    weighted,
)

if TYPE_CHECKING:
    from torch import Tensor, nn
    from transformers import PreTrainedModel

    from sevenfold.chat.encoder import Encoder, TokenSequence
    from sevenfold.generate.labels import Labelled
    from sevenfold.load.model import Model
    from sevenfold.prepare.dataset import Dataset, Row
    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.engine.passes import Pass
    from sevenfold.tune.section import TuneSection


class Regress(Reading):
    """A linear head with one output, on the number less the training rows' mean, over their standard deviation.

    With ``e = w h - (y - mean) / deviation``: the squared error ``e^2``, or Huber's loss, ``e^2 / 2`` up to delta and
    ``delta (|e| - delta / 2)`` beyond it, which outliers move less (Huber 1964). The last reply of a row is its
    number; an answer is the number in the rows' own units.
    """

    error: Literal["squared", "huber"] = Field("squared", description="The loss of an error.")
    delta: float = Field(1.0, gt=0, description="Huber's loss: where it becomes linear, standard deviations.")
    state: State = Field("last", description="What a text is read from: the last token's state, the first's, or all.")
    mean: float | None = Field(None, description="The number that the head's 0 stands for; default: the rows' mean.")
    deviation: float | None = Field(None, gt=0, description="What the head's 1 is; default: their standard deviation.")
    digits: int = Field(6, ge=1, le=17, description="Significant digits of an answer.")

    def check(self, section: TuneSection) -> None:
        """Refuse to cut the token off from which a text is read."""
        if self.state == "last" and section.overlong == "cut":
            raise RecipeError(
                "tune.overlong: cut takes the last token away, from whose state the number is read",
                expected="tune.overlong: drop, or a text read from all its tokens",
                next_step="tune.objective: {regress: {state: mean}}",
            )

    def settled(self, dataset: Dataset) -> Regress:
        """With mean and deviation of the training rows' numbers."""
        if self.mean is not None and self.deviation is not None:
            return self
        values = [number_of(row, text) for row, text in labels_of(dataset)]
        mean = math.fsum(values) / max(len(values), 1)
        deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / max(len(values), 1))
        if deviation == 0:
            raise DataError(
                f"all {len(values)} training rows have the same number",
                where=str(dataset.path("train")),
                expected="numbers that differ",
            )
        found = {"mean": mean if self.mean is None else self.mean, "deviation": self.deviation or deviation}
        return self.model_copy(update=found)

    @property
    def measures(self) -> tuple[Any, ...]:
        """Mean absolute and root mean squared error, and the share of the variance that is explained."""
        return ("mae", "rmse", "r2")

    @property
    def scale(self) -> tuple[float, float]:
        """Mean and deviation."""
        assert self.mean is not None
        assert self.deviation is not None
        return self.mean, self.deviation

    @property
    def columns(self) -> tuple[str, ...]:
        """The number, less the mean, over the deviation."""
        return ("number",)

    def sequences(self, row: Row, encoder: Encoder) -> list[TokenSequence]:
        """The prompt; what it is read from weighs what the row does.

        Raises:
            DataError: The last reply is no number.
        """
        from sevenfold.chat.encoder import TokenSequence

        ids, (mean, deviation) = read_prompt(row, encoder), self.scale
        value = (number_of(row, row.conversation.reference()) - mean) / deviation
        places = places_of(self.state, len(encoder.lead), len(ids))
        weights = weighted(len(ids), places, row_weight(row))
        return [TokenSequence(ids, weights, columns={"number": [value] * len(ids)})]

    def own(self, network: PreTrainedModel, model: Model) -> nn.Module:
        """The head."""
        from sevenfold.tune.engine.labels import Head

        return Head(network.config.get_text_config().hidden_size, 1, self.dropout)

    def outputs(self, forward: Forward, batch: Pass) -> Tensor:
        """The number that is said of each text in the head's scale, ``B``."""
        return self.numbers(forward, states(forward, batch), batch)

    def numbers(self, forward: Forward, states_ND: Tensor, batch: Pass) -> Tensor:
        """The number of each text from its states."""
        from sevenfold.tune.engine.labels import means_of_texts

        assert forward.own is not None
        found: Tensor = forward.own(means_of_texts(states_ND.float(), batch))[:, 0]
        return found

    def loss(self, outputs: Tensor, batch: Pass) -> Tensor:
        """The loss of the formula above, summed over texts."""
        from torch.nn.functional import huber_loss, mse_loss

        from sevenfold.tune.engine.labels import at_texts

        true_B = at_texts(batch.columns["number"], batch)
        if self.error == "squared":
            losses_B = mse_loss(outputs, true_B, reduction="none")
        else:
            losses_B = huber_loss(outputs, true_B, reduction="none", delta=self.delta)
        return (at_texts(batch.weights_N, batch) * losses_B).sum()

    def weight(self, batch: Pass) -> float:
        """The sum of the texts' weights, whatever number of tokens each is read from."""
        from sevenfold.tune.engine.labels import at_texts

        return float(at_texts(batch.weights_N, batch).sum())

    def figures(self, outputs: Tensor, batch: Pass) -> dict[str, Tensor]:
        """The absolute error in the rows' own units."""
        from sevenfold.tune.engine.labels import at_texts

        errors_B = (outputs - at_texts(batch.columns["number"], batch)).abs() * self.scale[1]
        return {"absolute_error": (at_texts(batch.weights_N, batch) * errors_B).sum()}

    def answers(self, forward: Forward, encoder: Encoder, prompts: Sequence[list[int]]) -> list[Labelled]:
        """The number of each prompt in the rows' own units."""
        from sevenfold.chat.encoder import TokenSequence
        from sevenfold.generate.labels import Labelled

        (mean, deviation), lead = self.scale, len(encoder.lead)
        states_ND, batch = read(
            forward,
            [TokenSequence(ids, weighted(len(ids), places_of(self.state, lead, len(ids)), 1.0)) for ids in prompts],
        )
        said_B = self.numbers(forward, states_ND, batch).double() * deviation + mean
        return [Labelled(f"{value:.{self.digits}g}") for value in said_B.tolist()]

    def unread(self) -> Labelled:
        """The training rows' mean."""
        from sevenfold.generate.labels import Labelled

        return Labelled(f"{self.scale[0]:.{self.digits}g}")

    def apart(self, model: Model) -> str | None:
        """Where a text is read from another token than the last, or by an encoder."""
        return not_of_the_last(self.state, model)

    def whole(self, own: nn.Module) -> Whole:
        """``AutoModelForSequenceClassification`` with one label, which reads the last token of a causal model."""
        mean, deviation = self.scale
        said = f"the one logit times {deviation:g} plus {mean:g} is the number"
        config = {"num_labels": 1, "problem_type": "regression", "target_mean": mean, "target_deviation": deviation}
        return Whole("AutoModelForSequenceClassification", config, dict(own.state_dict()), [said])


def number_of(row: Row, text: str) -> float:
    """The number that a label's text is.

    Raises:
        DataError: It is none.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(
            f"the label {text[:80]!r} is no number",
            where=row.origin,
            expected="a number such as 3.5 as the last reply",
            next_step="for labels use objective: classify",
        )
    return value
