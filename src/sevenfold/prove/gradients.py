"""Loss and gradients computed in two ways, and their difference; for the proofs ``packing`` and ``accumulation``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from sevenfold.chat.encoder import TokenSequence
    from sevenfold.prove.proof import Case
    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.engine.passes import Pass

LIMIT = 1e-3
"""Largest relative difference in float32. Sums in another order differ by up to 1e-4 in networks of 30 layers; what
the proofs guard against differs by 1e-2 and more."""


@dataclass
class Gradients:
    """The loss of some rows, and the gradient of everything that moves."""

    loss: float
    by_name: dict[str, Tensor]

    def difference(self, other: Gradients) -> float:
        """The largest of four relative figures, so that neither one value nor a small drift of all can hide.

        They are the loss's difference, the largest difference of a gradient, the mean of the absolute differences
        and the drift, the mean of the signed ones; gradients are measured against their own largest, or mean, size.
        """
        import torch

        mine = torch.cat([self.by_name[name].flatten() for name in sorted(self.by_name)]).double()
        theirs = torch.cat([other.by_name[name].flatten() for name in sorted(self.by_name)]).double()
        gap = theirs - mine
        figures = (
            abs(other.loss - self.loss) / abs(self.loss),
            gap.abs().max() / mine.abs().max(),
            gap.abs().mean() / mine.abs().mean(),
            gap.mean().abs() / mine.abs().mean(),
        )
        return max(float(figure) for figure in figures)


def uncertain_sequences(case: Case) -> list[TokenSequence]:
    """The case's short sequences with every supervised token replaced by its neighbour in the vocabulary.

    Lengths, prompts and mask stay the user's own. A model that has learnt its rows well is certain of their replies;
    the gradient is then what rounding leaves of ``1 - p``, and would differ between any two ways to add it up.
    """
    size = case.model.card.vocabulary
    return [
        replace(
            kept,
            ids=[(t + 1) % size if weight > 0 else t for t, weight in zip(kept.ids, kept.weights, strict=True)],
        )
        for kept in case.short_sequences()
    ]


def float32_forward(case: Case) -> Forward:
    """The network as it trains, in float32, where an equality is not hidden by rounding.

    Behind training the tuned weights are in place, so that every gradient of an adapter is different from zero.
    """
    import torch

    from sevenfold.tune.engine.forward import Forward

    case.environment.start()
    network = case.model.network(torch.float32)
    if case.tuned:
        case.section.method.load(network, case.tuned.weights)
    else:
        case.section.method.attach(network)
    network.to(case.environment.device)  # type: ignore[arg-type]
    # What hangs on chance (dropout) is equal to nothing.
    network.eval()
    return Forward(network, torch.float32)


def of_passes(forward: Forward, batch: list[Pass], case: Case) -> Gradients:
    """What the trainer computes."""
    from sevenfold.tune import accumulate

    return taken(forward, accumulate.gradients(forward, case.section.objective, batch))


def of_rows(forward: Forward, sequences: list[TokenSequence], case: Case) -> Gradients:
    """The plain computation: each row alone, transformers' own attention and head, the loss over all targets."""
    import torch

    from sevenfold.tune.engine.passes import pack
    from sevenfold.tune.engine.probe import plain

    network = forward.network
    used = network.config._attn_implementation
    network.set_attn_implementation("eager")
    documents = [pack([sequence]).to(str(forward.device)) for sequence in sequences]
    weight = sum(document.weight for document in documents)
    loss = 0.0
    for document in documents:
        _, logits_NV = plain(network, document)
        logprobs_N = torch.log_softmax(logits_NV.float(), -1).gather(-1, document.labels_N[:, None])[:, 0]
        share = case.section.objective.loss(logprobs_N, document.weights_N) / weight
        share.backward()
        loss += float(share.detach())
    network.set_attn_implementation(used)
    return taken(forward, loss)


def taken(forward: Forward, loss: float) -> Gradients:
    """Take the gradients off the network."""
    grads = {name: weight.grad for name, weight in forward.network.named_parameters()}
    found = Gradients(loss, {name: grad.cpu().clone() for name, grad in grads.items() if grad is not None})
    forward.network.zero_grad(set_to_none=True)
    return found
