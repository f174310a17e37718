"""Proof 6, merge: adapter beside the base, and merged weights, give the same log-probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sevenfold.errors import ProofError
from sevenfold.prove.proof import Case, Proof

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

    from sevenfold.chat.encoder import TokenSequence
    from sevenfold.tune.tuned import Tuned

LIMIT = 1e-3
"""Largest difference of a log-probability, nats, in float32."""


def prove(case: Case) -> Proof:
    """Compare the log-probabilities of the whole vocabulary at every position of a few rows, in float32.

    Where a method has no merged weights, the seam is the other way: what it put beside the base is taken off again,
    and the base has to answer as if it had never been there, bit for bit.
    """
    import torch

    if case.tuned is None:
        raise ProofError("there is nothing to merge yet", next_step="sevenfold tune RECIPE")
    if case.tuned.unmergeable():
        return prove_unloading(case, case.tuned)
    sequences = case.short_sequences()
    apart = logprobs(case.tuned.network(case.model, torch.float32), sequences)
    merged = logprobs(case.tuned.merged(case.model, torch.float32), sequences)
    what = f"log-probabilities of {len(sequences)} rows, adapter beside the base and merged, float32"
    return Proof.of("merge", largest_gap(apart, merged), LIMIT, "nats", what)


def prove_unloading(case: Case, tuned: Tuned) -> Proof:
    """Compare the base with the base from which what was learnt was taken off, on rows without virtual tokens."""
    import torch

    lead = case.section.method.lead(case.model.card.vocabulary)
    sequences = [sequence.behind(len(lead)) for sequence in case.short_sequences()]
    base = logprobs(case.model.network(torch.float32), sequences)
    network = tuned.network(case.model, torch.float32)
    tuned.chosen_method().unload(network)
    what = (
        f"nothing is merged: log-probabilities of {len(sequences)} rows, the base and the base with it taken off again"
    )
    return Proof.of("merge", largest_gap(base, logprobs(network, sequences)), 0.0, "nats", what)


def logprobs(network: PreTrainedModel, sequences: list[TokenSequence]) -> list[Tensor]:
    """Log-probabilities of the whole vocabulary at every position, ``T x V`` for each row."""
    import torch

    with torch.inference_mode():
        return [
            torch.log_softmax(network(torch.tensor([sequence.ids], device=network.device)).logits[0].float(), -1)
            for sequence in sequences
        ]


def largest_gap(left: list[Tensor], right: list[Tensor]) -> float:
    """The largest difference between two computations of the same log-probabilities."""
    return max(float((a - b).abs().max()) for a, b in zip(left, right, strict=True))
