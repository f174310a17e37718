"""Simple preference optimisation: the mean log-probability is the reward, and it must differ by a margin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from sevenfold.tune.objectives._answers import Pairs, means

if TYPE_CHECKING:
    from torch import Tensor

    from sevenfold.tune.engine.passes import Pass


class Simpo(Pairs):
    """``-log sigmoid(beta (m(chosen) - m(rejected)) - gamma)``, ``m``: the mean log-probability of an answer's tokens.

    What is rewarded is what generation maximises, whatever the answer's length, and there is no reference to compute
    (Meng et al. 2024, arXiv 2405.14734). Nothing holds the model to its start, so learning rates are small.
    """

    beta: float = Field(2.0, gt=0, description="The scale of the reward.")
    gamma: float = Field(1.0, ge=0, description="How much higher the preferred answer's reward should at least be.")

    def losses(self, outputs: Tensor, batch: Pass) -> Tensor:
        """The loss of each pair."""
        from torch.nn.functional import logsigmoid

        chosen_P, rejected_P = self.values(outputs, batch)
        return -logsigmoid(chosen_P - rejected_P - self.gamma)

    def values(self, outputs: Tensor, batch: Pass) -> tuple[Tensor, Tensor]:
        """``beta`` times the mean log-probability of a token."""
        chosen_P, rejected_P = means(outputs, batch)
        return self.beta * chosen_P, self.beta * rejected_P
