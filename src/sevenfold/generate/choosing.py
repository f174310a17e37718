"""From logits to the next token."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from sevenfold.generate.engine import Sampling


def choose(logits_BV: Tensor, chance_B: Tensor, sampling: Sampling) -> Tensor:
    """The next token of each row: the likeliest, or the one in whose share of the probability the number falls.

    Args:
        logits_BV: What the network says.
        chance_B: Numbers between 0 and 1; not read where the likeliest is taken.
        sampling: How tokens are chosen.
    """
    import torch

    if sampling.temperature == 0:
        return logits_BV.argmax(-1)
    probs_BV = torch.softmax(logits_BV.float() / sampling.temperature, -1)
    if sampling.top_p < 1:
        probs_BV = nucleus(probs_BV, sampling.top_p)
    sums_BV = probs_BV.cumsum(-1)
    # A number of 1 - 2**-24 times a sum that rounding left below 1 still falls on a token that has a share.
    drawn_B1 = torch.searchsorted(sums_BV, (chance_B * sums_BV[:, -1])[:, None], right=True)
    return drawn_B1[:, 0].clamp(max=logits_BV.shape[-1] - 1)


def nucleus(probs_BV: Tensor, top_p: float) -> Tensor:
    """Probabilities with those left out that are not among the likeliest which together have ``top_p``."""
    sorted_BV, order_BV = probs_BV.sort(-1, descending=True)
    before_BV = sorted_BV.cumsum(-1) - sorted_BV
    return probs_BV.scatter(-1, order_BV, sorted_BV.masked_fill(before_BV >= top_p, 0.0))
