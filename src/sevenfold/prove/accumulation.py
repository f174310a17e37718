"""Proof 4, accumulation: one pass over N rows and many passes over parts of them give the same gradient."""

from __future__ import annotations

from sevenfold.prove import gradients
from sevenfold.prove.proof import Case, Proof


def prove(case: Case) -> Proof:
    """Compare all rows in one pass with passes as small as the longest row, and with one row and the rest, in float32.

    A mean of the passes' means would differ: rows have different numbers of supervised tokens, and where each row
    counts one, the two passes have different numbers of rows.
    """
    from sevenfold.tune.engine.passes import pack, passes

    forward = gradients.float32_forward(case)
    sequences = gradients.uncertain_sequences(case)
    here = case.section.objective.here
    whole = gradients.of_passes(forward, [pack(sequences, here)], case)
    parts = passes(sequences, max(len(sequence) for sequence in sequences), here)
    uneven = [pack(some, here) for some in (sequences[:1], sequences[1:]) if some]
    gap = max(whole.difference(gradients.of_passes(forward, batch, case)) for batch in (parts, uneven))
    what = f"loss and gradients of {len(sequences)} rows in 1 pass, in {len(parts)} and in {len(uneven)}, float32"
    return Proof.of("accumulation", gap, gradients.LIMIT, "relative difference", what)
