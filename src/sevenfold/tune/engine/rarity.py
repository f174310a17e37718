"""Rare labels: points between texts, and several heads on the same states, as pure functions of tensors.

What is drawn hangs on the texts' own keys alone, so that it is the same however texts are laid into passes, and again
when a training goes on.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

KEYS = 1 << 24
"""Keys are whole numbers below this, which float32 holds exactly; -1 is a text of which nothing is drawn."""


def uniform(keys: Tensor, salt: Tensor | int) -> Tensor:
    """A number from 0 to below 1 for each key, drawn anew for each salt: the finaliser of MurmurHash3 (Appleby).

    Args:
        keys: Whole numbers of any shape.
        salt: Whole numbers that broadcast with them.
    """
    mask = 0xFFFFFFFF
    found = (keys.long() * 0x9E3779B1 + torch.as_tensor(salt, device=keys.device).long() * 0x85EBCA77 + 1) & mask
    for factor in (0x85EBCA6B, 0xC2B2AE35):
        found = ((found ^ (found >> 16)) * factor) & mask
    return ((found ^ (found >> 16)) >> 8).double() / KEYS


def bootstrap(keys_B: Tensor, heads: int) -> Tensor:
    """How often each text stands in each head's own sample, ``B x H``: Poisson with mean 1, float32.

    A bootstrap sample of many rows has each row so often, nearly independently of the others (Oza and Russell 2001,
    "Online Bagging and Boosting"). A text of which nothing is drawn stands once in each.
    """
    drawn_BH = uniform(keys_B[:, None], torch.arange(1, heads + 1, device=keys_B.device))
    counts_BH, term, total = torch.zeros_like(drawn_BH), math.exp(-1), 0.0
    for count in range(1, 12):
        total += term
        counts_BH += drawn_BH >= total
        term /= count
    return torch.where(keys_B[:, None] < 0, 1.0, counts_BH).float()


def steps_of(heads: int) -> list[float]:
    """What each head's logits count in the whole of ``F_k = (1 - 2 / (k + 1)) F_(k-1) + 2 / (k + 1) f_k``; sum 1."""
    parts = [1.0]
    for number in range(2, heads + 1):
        step = 2 / (number + 1)
        parts = [part * (1 - step) for part in parts] + [step]
    return parts


def boosted(logits_BHK: Tensor, labels_B: Tensor) -> Tensor:
    """What each text counts to each head, ``B x H``: what those before it have not learnt of it, no gradients.

    Head k counts a text ``1 - softmax(F_(k-1))[label]``, the negative slope of the loss there; the first counts all
    the same. Source: Beygelzimer et al. 2015, "Online Gradient Boosting", arXiv 1506.04820, algorithm 1, as Opitz et
    al. 2017 do it with heads of one network ("BIER", equation 4).
    """
    weights, whole_BK = [], torch.zeros_like(logits_BHK[:, 0])
    for number, logits_BK in enumerate(logits_BHK.detach().unbind(1), start=1):
        right_B = whole_BK.softmax(-1).gather(-1, labels_B[:, None])[:, 0]
        weights.append(torch.ones_like(right_B) if number == 1 else 1 - right_B)
        step = 2 / (number + 1)
        whole_BK = (1 - step) * whole_BK + step * logits_BK
    return torch.stack(weights, 1)


def mean_of_heads(logits_BHK: Tensor) -> Tensor:
    """The logarithm of the heads' mean probability, ``B x K``."""
    return torch.log_softmax(logits_BHK, -1).logsumexp(1) - math.log(logits_BHK.shape[1])


def sum_of_heads(logits_BHK: Tensor) -> Tensor:
    """The logits of boosted heads together, ``B x K``."""
    return torch.einsum("bhk,h->bk", logits_BHK, logits_BHK.new_tensor(steps_of(logits_BHK.shape[1])))


def between(values_BV: Tensor, states_BD: Tensor, labels_B: Tensor, keys_B: Tensor, neighbours: int) -> Tensor:
    """For each text a point on the way to a near text of its label, ``B x V``.

    ``x + u (x' - x)``, where x' is drawn from the ``neighbours`` nearest texts of the same label among these and u from
    0 to 1 (SMOTE: Chawla et al. 2002, "Synthetic Minority Over-sampling Technique", section 4.2). A text that is alone
    with its label stays where it is. Both are drawn by the texts' keys, u once for each pair.

    Args:
        values_BV: What lies between: states, or what a linear layer made of them, which comes to the same.
        states_BD: What nearness is measured by, no gradients.
        labels_B: Labels.
        keys_B: Keys.
        neighbours: The k of the paper.
    """
    far_BB = torch.cdist(states_BD.double(), states_BD.double())
    same_BB = labels_B[:, None] == labels_B[None]
    same_BB = same_BB & ~torch.eye(len(labels_B), dtype=torch.bool, device=labels_B.device)
    order_BB = far_BB.masked_fill(~same_BB, torch.inf).argsort(dim=-1, stable=True)
    found_B = same_BB.sum(-1).clamp(max=neighbours)
    place_B = (uniform(keys_B, 0x51ED) * found_B).long()
    other_B = order_BB.gather(-1, place_B[:, None])[:, 0]
    other_B = torch.where(found_B > 0, other_B, torch.arange(len(labels_B), device=labels_B.device))
    way_B = uniform(keys_B, keys_B[other_B].long() + KEYS).to(values_BV.dtype)
    return values_BV + way_B[:, None] * (values_BV[other_B] - values_BV)
