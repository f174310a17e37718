"""Texts to vectors, and the losses that draw together what belongs together, as pure functions of tensors.

Shapes: A anchors, E examples that they are compared with (first the anchors' own, then all hard negatives), D the
vector's width.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from sevenfold.tune.engine.labels import at_texts

if TYPE_CHECKING:
    from sevenfold.tune.engine.passes import Pass


@dataclass
class Pairings:
    """Which of some texts are anchors, and what each is compared with.

    Args:
        anchors_A: The numbers of the texts that are anchors.
        examples_E: The numbers of the others: the anchors' own in their order, then the hard negatives.
        foreign_AE: Whether an example does not belong to the anchor; one that reads as the anchor's own does.
        given_AE: Whether an example is the anchor's own hard negative.
        weights_A: The weight of each anchor's row.
    """

    anchors_A: Tensor
    examples_E: Tensor
    foreign_AE: Tensor
    given_AE: Tensor
    weights_A: Tensor

    def turned(self) -> Pairings:
        """The same the other way round: the anchors' own texts among the anchors, without hard negatives."""
        foreign_AA = self.foreign_AE[:, : len(self.anchors_A)].t()
        none = foreign_AA.new_zeros(foreign_AA.shape)
        return Pairings(self.examples_E[: len(self.anchors_A)], self.anchors_A, foreign_AA, none, self.weights_A)


def pairings(batch: Pass) -> Pairings:
    """What the columns ``role`` (0 anchor, 1 its own, 2 hard negative) and ``text`` (a text's hash) say of a pass."""
    role_B, text_B = at_texts(batch.columns["role"], batch), at_texts(batch.columns["text"], batch)
    row_B = (role_B == 0).cumsum(0)
    anchors_A, own_A, hard = ((role_B == role).nonzero()[:, 0] for role in range(3))
    examples_E = torch.cat([own_A, hard])
    foreign_AE = text_B[examples_E] != text_B[own_A][:, None]
    given_AE = (row_B[examples_E] == row_B[anchors_A][:, None]) & (role_B[examples_E] == 2)
    # A text is no negative of itself, whatever row it stands in.
    foreign_AE &= (text_B[examples_E] != text_B[anchors_A][:, None]) | given_AE
    return Pairings(anchors_A, examples_E, foreign_AE, given_AE, at_texts(batch.weights_N, batch)[anchors_A])


def pooled(states_ND: Tensor, batch: Pass) -> Tensor:
    """The mean of each text's target states, ``B x D``, float32."""
    from sevenfold.tune.engine.labels import means_of_texts

    return means_of_texts(states_ND.float(), batch)


def info_nce(anchors_AD: Tensor, examples_ED: Tensor, found: Pairings, temperature: float) -> Tensor:
    """``-log (exp(cos(a, p) / t) / sum_e exp(cos(a, e) / t))`` of each anchor, ``A``, nats.

    The sum goes over the anchor's own example and all that are foreign to it. Source: van den Oord et al. 2018, arXiv
    1807.03748; with the other rows' examples as negatives Henderson et al. 2017, arXiv 1705.00652.
    """
    cosines_AE = nn.functional.normalize(anchors_AD, dim=-1) @ nn.functional.normalize(examples_ED, dim=-1).t()
    own_AE = torch.eye(len(anchors_AD), len(examples_ED), dtype=torch.bool, device=anchors_AD.device)
    logits_AE = (cosines_AE / temperature).masked_fill(~(found.foreign_AE | own_AE), -torch.inf)
    return -torch.log_softmax(logits_AE, -1).diagonal()


def triplet(anchors_AD: Tensor, examples_ED: Tensor, found: Pairings, margin: float) -> Tensor:
    """``max(0, |a - p| - |a - n| + m)`` of each anchor, ``A``, Euclidean.

    The negative is the anchor's nearest hard negative; where a row has none, the nearest foreign example of the step.
    Source: Schroff et al. 2015, arXiv 1503.03832; the nearest of the step, Hermans et al. 2017, arXiv 1703.07737.
    """
    distances_AE = distances(anchors_AD, examples_ED)
    allowed_AE = negatives(found)
    nearest_A = distances_AE.masked_fill(~allowed_AE, torch.inf).min(-1).values
    losses_A = (distances_AE.diagonal() - nearest_A + margin).clamp(min=0)
    return torch.where(allowed_AE.any(-1), losses_A, torch.zeros_like(losses_A))


def margin_loss(anchors_AD: Tensor, examples_ED: Tensor, found: Pairings, margin: float) -> Tensor:
    """The mean of ``(1 - y) d^2 + y max(0, m - d)^2`` over each anchor's pairs, ``A``; y is 1 where they are foreign.

    An anchor's pairs are its own example and its hard negatives, or, where its row has none, all foreign examples of
    the step. Source: Hadsell et al. 2006, "Dimensionality Reduction by Learning an Invariant Mapping", equation 4,
    without its halves.
    """
    distances_AE = distances(anchors_AD, examples_ED)
    allowed_AE = negatives(found)
    pushed_AE = ((margin - distances_AE).clamp(min=0) ** 2).masked_fill(~allowed_AE, 0.0)
    return (distances_AE.diagonal() ** 2 + pushed_AE.sum(-1)) / (1 + allowed_AE.sum(-1))


def ranks(anchors_AD: Tensor, examples_ED: Tensor, found: Pairings) -> Tensor:
    """The place of each anchor's own example among those foreign to it by the cosine, ``A``, from 1.

    Of equals, half stand before it.
    """
    cosines_AE = nn.functional.normalize(anchors_AD, dim=-1) @ nn.functional.normalize(examples_ED, dim=-1).t()
    own_A1 = cosines_AE.diagonal()[:, None]
    nearer_A = ((cosines_AE > own_A1) & found.foreign_AE).sum(-1)
    equal_A = ((cosines_AE == own_A1) & found.foreign_AE).sum(-1)
    return 1 + nearer_A + equal_A / 2


def negatives(found: Pairings) -> Tensor:
    """Which examples are an anchor's negatives: its own hard ones, else all foreign ones; ``A x E``."""
    has_A = found.given_AE.any(-1, keepdim=True)
    return torch.where(has_A, found.given_AE, found.foreign_AE)


def distances(one_AD: Tensor, other_ED: Tensor) -> Tensor:
    """Euclidean distances, ``A x E``; the slope at zero is zero."""
    squares_AE = (one_AD[:, None] - other_ED[None]).square().sum(-1)
    same = squares_AE <= 0
    return squares_AE.masked_fill(same, 1.0).sqrt().masked_fill(same, 0.0)


def supervised(vectors_BD: Tensor, labels_B: Tensor, temperature: float) -> Tensor:
    """``-1/|P| sum_{p in P} log (exp(v_i v_p / t) / sum_{a != i} exp(v_i v_a / t))`` of each text, ``B``, nats.

    P are the other texts of its label; 0 where there are none. Source: Khosla et al. 2020, arXiv 2004.11362.
    """
    itself = torch.eye(len(vectors_BD), dtype=torch.bool, device=vectors_BD.device)
    logits_BB = (vectors_BD @ vectors_BD.t() / temperature).masked_fill(itself, -torch.inf)
    mates_BB = (labels_B[:, None] == labels_B) & ~itself
    logprobs_BB = torch.log_softmax(logits_BB, -1).masked_fill(~mates_BB, 0.0)
    return -logprobs_BB.sum(-1) / mates_BB.sum(-1).clamp(min=1)


def logistic(vectors_BD: Tensor, labels_B: Tensor, count: int, inverse_penalty: float) -> tuple[Tensor, Tensor]:
    """Weights ``K x D`` and biases ``K`` that minimise ``|W|^2 / 2 + C sum_i -log softmax(W v_i + b)[y_i]``.

    The loss is convex; L-BFGS (Liu and Nocedal 1989) finds its minimum.
    """
    weight_KD = vectors_BD.new_zeros(count, vectors_BD.shape[1]).requires_grad_()
    bias_K = vectors_BD.new_zeros(count).requires_grad_()
    optimizer = torch.optim.LBFGS(
        [weight_KD, bias_K], max_iter=500, tolerance_grad=1e-7, tolerance_change=1e-12, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        losses = nn.functional.cross_entropy(vectors_BD @ weight_KD.t() + bias_K, labels_B, reduction="sum")
        loss = weight_KD.square().sum() / 2 + inverse_penalty * losses
        loss.backward()
        return loss

    with torch.enable_grad():
        optimizer.step(closure)
    return weight_KD.detach(), bias_K.detach()
