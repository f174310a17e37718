"""Direct preference optimisation: raise what was preferred above what was not, relative to where the model began."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from sevenfold.tune.objectives._answers import Pairs, means, sums

if TYPE_CHECKING:
    from torch import Tensor

    from sevenfold.tune.engine.passes import Pass


class Dpo(Pairs):
    """``-log sigmoid(beta d)`` with ``d = log p(chosen)/p0(chosen) - log p(rejected)/p0(rejected)``, and its kin.

    ``p0`` is the model before its first step (Rafailov et al. 2023, arXiv 2305.18290); the network says it before it is
    trained, so there is no second model. The other losses of ``d``:

    * ``hinge``: ``max(0, 1 - beta d)`` (Zhao et al. 2023, arXiv 2305.10425; relative to ``p0``: Liu et al. 2023, arXiv
      2309.06657).
    * ``ipo``: ``(d - 1 / (2 beta))^2`` (Azar et al. 2023, arXiv 2310.12036). It pulls the margin to a number and stops
      there, where the sigmoid goes on; ``d`` is of means over tokens, which makes one ``beta`` fit all lengths.
    * ``robust``: ``((1 - e) l(d) - e l(-d)) / (1 - 2 e)`` with the sigmoid loss ``l``; where a share ``e`` of pairs is
      the wrong way round, its mean is that of ``l`` on clean pairs (Chowdhury et al. 2024, arXiv 2403.00409).

    ``label_smoothing`` is ``e``; with ``sigmoid`` the loss is ``(1 - e) l(d) + e l(-d)``, which is careful instead.
    Run again from a tuned model (``load.model``: a merged export), the new ``p0`` is that model: iterative DPO.
    """

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
    reference_free: bool = Field(False, description="Leave the start out, as if it gave all answers the same.")

    @model_validator(mode="after")
    def smooths_what_it_can(self) -> Dpo:
        """Refuse a share of swapped pairs where the loss does not read it."""
        if self.label_smoothing and self.loss_type not in ("sigmoid", "robust"):
            raise ValueError(f"label_smoothing has no meaning with {self.loss_type}; use it with sigmoid or robust")
        if self.loss_type == "robust" and not self.label_smoothing:
            raise ValueError("robust needs label_smoothing, the share of pairs that may be the wrong way round")
        return self

    @property
    def reference(self) -> bool:  # type: ignore[override]
        """Whether the start is compared with."""
        return not self.reference_free

    def ratios(self, outputs: Tensor, batch: Pass) -> tuple[Tensor, Tensor]:
        """How much likelier each answer is than at the start, in nats; ``P`` and ``P``."""
        averaged = self.loss_type == "ipo" if self.average is None else self.average
        relative_N = outputs if self.reference_free else outputs - batch.columns["reference"]
        return (means if averaged else sums)(relative_N, batch)

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

    def rewards(self, outputs: Tensor, batch: Pass) -> tuple[Tensor, Tensor]:
        """``beta`` times the ratios, nats."""
        chosen_P, rejected_P = self.ratios(outputs, batch)
        return self.beta * chosen_P, self.beta * rejected_P
