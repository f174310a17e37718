"""Proof 4, accumulation: one pass over N rows and many passes over parts of them give the same gradient."""

from __future__ import annotations

from sevenfold.prove import gradients
from sevenfold.prove.proof import Case, Proof


def prove(case: Case) -> Proof:
    """Compare all rows in one pass with passes as small as the longest row, in float32.

    Rows have different numbers of supervised tokens, so a mean of the passes' means would differ.
    """
    from sevenfold.tune.engine.passes import pack, passes

    forward = gradients.float32_forward(case)
    sequences = gradients.uncertain_sequences(case)
    here = case.section.objective.here
    whole = gradients.of_passes(forward, [pack(sequences, here)], case)
    parts = passes(sequences, max(len(sequence) for sequence in sequences), here)
    accumulated = gradients.of_passes(forward, parts, case)
    what = f"loss and gradients of {len(sequences)} rows in 1 pass and in {len(parts)}, float32"
    return Proof.of("accumulation", whole.difference(accumulated), gradients.LIMIT, "relative difference", what)
