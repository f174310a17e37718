"""Loss and gradients computed in two ways, and their difference; for the proofs ``packing`` and ``accumulation``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sevenfold.tune.engine.forward import Forward

if TYPE_CHECKING:
    from torch import Tensor

    from sevenfold.chat.encoder import TokenSequence
    from sevenfold.prove.proof import Case
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

    case.environment.start()
    network = case.model.network(torch.float32)
    if case.tuned:
        case.section.method.load(network, case.tuned.weights)
    else:
        case.section.method.attach(network)
    network.to(case.environment.device)  # type: ignore[arg-type]
    # What hangs on chance (dropout) is equal to nothing.
    network.eval()
    forward = Forward(network, torch.float32)
    forward.own = case.tuned.own(network, case.model) if case.tuned else case.section.objective.own(network, case.model)
    if forward.own is not None:
        forward.own.to(case.environment.device).eval()
    return forward


def of_passes(forward: Forward, batch: list[Pass], case: Case) -> Gradients:
    """What the trainer computes."""
    from sevenfold.tune import accumulate

    return taken(forward, accumulate.gradients(forward, case.section.objective, batch))


def of_rows(forward: Forward, sequences: list[TokenSequence], case: Case) -> Gradients:
    """The plain computation: each text alone, transformers' own attention and head, the loss over all targets.

    Answers that share a prompt are texts by themselves, each with the whole prompt before it, so that a way of laying
    them out, of numbering their places or of telling what is predicted from what is compared with none.
    """
    import torch

    from sevenfold.tune.engine.passes import joined, pack

    network, objective = forward.network, case.section.objective
    used = network.config._attn_implementation
    network.set_attn_implementation("eager")
    texts = [text for sequence in sequences for text in sequence.texts()]
    documents = [pack([text], objective.here).to(str(forward.device)) for text in texts]
    outputs = torch.cat([objective.outputs(Plain(forward), document) for document in documents])
    whole = joined(documents)
    loss = objective.loss(outputs, whole) / objective.weight(whole)
    loss.backward()
    network.set_attn_implementation(used)
    return taken(forward, float(loss.detach()))


class Plain(Forward):
    """What an objective asks of a forward pass, by the network's plain call.

    Args:
        forward: Has the network, and what the objective has beside it.
    """

    def __init__(self, forward: Forward) -> None:
        vars(self).update(vars(forward))

    def __call__(self, batch: Pass) -> Tensor:
        """Log-probabilities of the targets, ``N``."""
        import torch

        logits_NV = self.said(batch)[1]
        return torch.log_softmax(logits_NV.float(), -1).gather(-1, batch.labels_N[:, None])[:, 0]

    def states_and_logprobs(self, batch: Pass, temperature: float = 1.0) -> tuple[Tensor, Tensor]:
        """States, ``N x D``, and the targets' log-probabilities, ``N``."""
        import torch

        states_ND, logits_NV = self.said(batch)
        logprobs_NV = torch.log_softmax(logits_NV.float() / temperature, -1)
        return states_ND, logprobs_NV.gather(-1, batch.labels_N[:, None])[:, 0]

    def hidden(self, batch: Pass) -> Tensor:
        """The states from which targets are predicted, ``N x D``."""
        return self.said(batch)[0]

    def said(self, batch: Pass) -> tuple[Tensor, Tensor]:
        """States and logits of the targets, each text through the network by itself."""
        import torch

        from sevenfold.tune.engine.passes import unrolled
        from sevenfold.tune.engine.probe import apart, plain

        found = [plain(self.network, text) for text in apart(unrolled(batch))]
        return torch.cat([states for states, _ in found]), torch.cat([logits for _, logits in found])


def taken(forward: Forward, loss: float) -> Gradients:
    """Take the gradients off the network."""
    parts = {"": forward.network, "objective.": forward.own}
    weights = {
        f"{prefix}{name}": weight
        for prefix, part in parts.items()
        if part is not None
        for name, weight in part.named_parameters()
    }
    found = {name: weight.grad.cpu().clone() for name, weight in weights.items() if weight.grad is not None}
    for weight in weights.values():
        weight.grad = None
    return Gradients(loss, found)
