"""Proof 6, merge: adapter beside the base, and merged weights, give the same log-probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sevenfold.errors import ProofError
from sevenfold.prove.proof import Case, Proof

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

    from sevenfold.chat.encoder import TokenSequence

LIMIT = 1e-3
"""Largest difference of a log-probability, nats, in float32."""


def prove(case: Case) -> Proof:
    """Compare the log-probabilities of the whole vocabulary at every position of a few rows, in float32."""
    import torch

    if case.tuned is None:
        raise ProofError("there is nothing to merge yet", next_step="sevenfold tune RECIPE")
    sequences = case.short_sequences()
    apart = logprobs(case.tuned.network(case.model, torch.float32), sequences)
    merged = logprobs(case.tuned.merged(case.model, torch.float32), sequences)
    what = f"log-probabilities of {len(sequences)} rows, adapter beside the base and merged, float32"
    return Proof.of("merge", largest_gap(apart, merged), LIMIT, "nats", what)


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
