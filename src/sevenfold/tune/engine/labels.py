"""States to labels: the head, what a text is read from, and the losses as pure functions of tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from sevenfold.tune.engine.passes import Pass

SPREAD = 0.02
"""The standard deviation of a new head's weights, as transformers draws them."""


class Head(nn.Linear):
    """A linear layer behind dropout, in float32; it begins the same wherever it is made.

    Args:
        hidden: Width of the states.
        labels: Figures that it gives.
        dropout: The share of a state's figures that are left out in training.
        bias: Whether it has one; transformers' classifiers of causal models have none.
    """

    def __init__(self, hidden: int, labels: int, dropout: float = 0.0, bias: bool = False) -> None:
        super().__init__(hidden, labels, bias=bias, dtype=torch.float32)
        self.dropout = dropout
        with torch.no_grad():
            self.weight.normal_(0.0, SPREAD, generator=torch.Generator().manual_seed(labels))
            if self.bias is not None:
                self.bias.zero_()

    def forward(self, hidden_ND: Tensor) -> Tensor:
        """Logits, ``N x K``, float32."""
        dropped = nn.functional.dropout(hidden_ND.float(), self.dropout, self.training)
        return nn.functional.linear(dropped, self.weight, self.bias)


def means_of_texts(values_ND: Tensor, batch: Pass) -> Tensor:
    """The mean of the targets' states in each text, ``B x D``; the state itself where a text has one target."""
    sums: Tensor = values_ND.new_zeros(batch.branches, values_ND.shape[1]).index_add(0, batch.branches_N, values_ND)
    return sums / targets_of_texts(batch)[:, None]


def targets_of_texts(batch: Pass) -> Tensor:
    """How many targets each text has, ``B``, float32."""
    return batch.per_branch(torch.ones_like(batch.weights_N))


def at_texts(values_N: Tensor, batch: Pass) -> Tensor:
    """The value at the first target of each text, ``B``; targets lie in the order of their texts."""
    texts_B = torch.arange(batch.branches, device=values_N.device)
    return values_N[torch.searchsorted(batch.branches_N, texts_B)]


def softmax_losses(logits_NK: Tensor, labels_N: Tensor, gamma: float = 0.0) -> Tensor:
    """``-(1 - p)^gamma log p`` of each label's probability ``p``, nats; cross-entropy where gamma is 0.

    Source: Lin et al. 2017, "Focal Loss for Dense Object Detection", arXiv 1708.02002, equation 4.
    """
    logprobs_N = torch.log_softmax(logits_NK, -1).gather(-1, labels_N[:, None])[:, 0]
    return -logprobs_N if gamma == 0 else -((-torch.expm1(logprobs_N)) ** gamma) * logprobs_N


def sigmoid_losses(logits_NK: Tensor, hot_NK: Tensor, gamma: float = 0.0, positive_K: Tensor | None = None) -> Tensor:
    """The mean over labels of ``-a (1 - q)^gamma log q``, where q is the probability of what is so of each, nats.

    Args:
        logits_NK: Logits.
        hot_NK: 1 where a label holds, else 0.
        gamma: As of :func:`softmax_losses`.
        positive_K: The weight a of each label where it holds; 1 where it does not.
    """
    logq_NK = nn.functional.logsigmoid(torch.where(hot_NK > 0, logits_NK, -logits_NK))
    losses_NK = -logq_NK if gamma == 0 else -((-torch.expm1(logq_NK)) ** gamma) * logq_NK
    if positive_K is not None:
        losses_NK = torch.where(hot_NK > 0, positive_K, torch.ones_like(positive_K)) * losses_NK
    return losses_NK.mean(-1)


def expected_costs(logits_NK: Tensor, labels_N: Tensor, costs_KK: Tensor) -> Tensor:
    """``sum_j softmax(logits)_j C[label, j]``: what a label drawn from the probabilities would cost on average."""
    return (torch.softmax(logits_NK, -1) * costs_KK[labels_N]).sum(-1)


def cheapest(probs_NK: Tensor, costs_KK: Tensor) -> Tensor:
    """The label whose expected cost is least, ``argmin_k sum_j p_j C[j, k]``.

    Source: Elkan 2001, "The Foundations of Cost-Sensitive Learning", equation 1.
    """
    return (probs_NK @ costs_KK).argmin(-1)


def softmax_of_texts(logits_N: Tensor, batch: Pass) -> Tensor:
    """The log-probability of each target among those of its own text, ``N``, float32, nats.

    Equals ``log_softmax`` of each text's logits alone.
    """
    index_N, count = batch.branches_N, batch.branches
    highest_B = logits_N.new_full((count,), -torch.inf).scatter_reduce(0, index_N, logits_N.detach(), "amax")
    shifted_N = logits_N - highest_B[index_N]
    sums_B = shifted_N.new_zeros(count).index_add(0, index_N, shifted_N.exp())
    return shifted_N - sums_B.log()[index_N]
