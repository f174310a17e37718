"""Odds ratio preference optimisation: learn the preferred answer and the preference at once, without a reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from sevenfold.tune.objectives._answers import Pairs, means

if TYPE_CHECKING:
    from torch import Tensor

    from sevenfold.tune.engine.passes import Pass


class Orpo(Pairs):
    """``-log p(chosen) - weight log sigmoid(log odds(chosen) / odds(rejected))`` with ``odds = p / (1 - p)``.

    ``p`` is the geometric mean of an answer's token probabilities (Hong et al. 2024, arXiv 2403.07691), so the first
    term is ``sft`` on the preferred answer, a mean over its tokens. One training does the work of two, without a
    reference: for a model that was not tuned on such answers before.
    """

    odds_weight: float = Field(
        0.1, ge=0, description="The weight of the odds ratio beside the likelihood; lambda in the paper. 0: sft."
    )

    def losses(self, outputs: Tensor, batch: Pass) -> Tensor:
        """The preferred answer's negative log-likelihood per token, and the weighted odds ratio."""
        from torch.nn.functional import logsigmoid

        chosen_P, rejected_P = means(outputs, batch)
        ratios_P = log_odds(chosen_P) - log_odds(rejected_P)
        return -chosen_P - self.odds_weight * logsigmoid(ratios_P)

    def values(self, outputs: Tensor, batch: Pass) -> tuple[Tensor, Tensor]:
        """The logarithms of both odds."""
        chosen_P, rejected_P = means(outputs, batch)
        return log_odds(chosen_P), log_odds(rejected_P)


def log_odds(logp: Tensor) -> Tensor:
    """``log p - log(1 - p)`` of log-probabilities, exact near both ends.

    A probability that is 1 in float32 counts as the number below it: its odds are no number.
    """
    import torch

    logp = logp.clamp(max=-torch.finfo(logp.dtype).eps)
    # log(1 - e^x): by expm1 where e^x is near 1, by log1p where it is near 0.
    high = logp > -0.6931
    near_one = torch.log(-torch.expm1(torch.where(high, logp, -0.6931)))
    near_zero = torch.log1p(-torch.exp(torch.where(high, -0.6931, logp)))
    return logp - torch.where(high, near_one, near_zero)
