"""Losses of how much more a pair's better answer gained than the other: what DPO is on any pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from sevenfold.tune.objectives._answers import PairLoss, means, sums

if TYPE_CHECKING:
    from torch import Tensor

    from sevenfold.tune.engine.passes import Pass


class Margins(PairLoss):
    """A loss of ``d``, the difference of the log-ratios of a pair's answers; :class:`~.dpo.Dpo` has the formulae."""

    main = "loss_type"
    loss_type: Literal["sigmoid", "hinge", "ipo", "robust"] = Field(
        "sigmoid", description="The loss of a pair's margin: sigmoid, hinge, ipo, robust."
    )
    beta: float = Field(0.1, gt=0, description="How strongly the model is held to its start; higher: more strongly.")
    label_smoothing: float = Field(
        0.0, ge=0, lt=0.5, description="The share of pairs that may be the wrong way round; of sigmoid and robust."
    )
    average: bool | None = Field(
        None, description="Means over an answer's tokens instead of sums; not given: with ipo alone."
    )

    @model_validator(mode="after")
    def smooths_what_it_can(self) -> Self:
        """Refuse a share of swapped pairs where the loss does not read it."""
        if self.label_smoothing and self.loss_type not in ("sigmoid", "robust"):
            raise ValueError(f"label_smoothing has no meaning with {self.loss_type}; use it with sigmoid or robust")
        if self.loss_type == "robust" and not self.label_smoothing:
            raise ValueError("robust needs label_smoothing, the share of pairs that may be the wrong way round")
        return self

    def relative(self, outputs: Tensor, batch: Pass) -> Tensor:
        """How much likelier each target is than at the start, nats, ``N``."""
        return outputs - batch.columns["reference"]

    def ratios(self, outputs: Tensor, batch: Pass) -> tuple[Tensor, Tensor]:
        """How much likelier each answer is than at the start, in nats; ``P`` and ``P``."""
        averaged = self.loss_type == "ipo" if self.average is None else self.average
        return (means if averaged else sums)(self.relative(outputs, batch), batch)

    def losses(self, outputs: Tensor, batch: Pass) -> Tensor:
        """The loss of each pair's margin."""
        from torch.nn.functional import logsigmoid, relu

        chosen_P, rejected_P = self.ratios(outputs, batch)
        margins_P, share = chosen_P - rejected_P, self.label_smoothing
        if self.loss_type == "ipo":
            return (margins_P - 1 / (2 * self.beta)) ** 2
        scaled_P = self.beta * margins_P
        if self.loss_type == "hinge":
            return relu(1 - scaled_P)
        right_P, swapped_P = -logsigmoid(scaled_P), -logsigmoid(-scaled_P)
        if self.loss_type == "robust":
            return ((1 - share) * right_P - share * swapped_P) / (1 - 2 * share)
        return (1 - share) * right_P + share * swapped_P

    def values(self, outputs: Tensor, batch: Pass) -> tuple[Tensor, Tensor]:
        """The implicit rewards: ``beta`` times the ratios, nats."""
        chosen_P, rejected_P = self.ratios(outputs, batch)
        return self.beta * chosen_P, self.beta * rejected_P
