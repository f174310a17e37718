"""Proof 3, packing: loss and gradients of packed rows equal those of the same rows one by one."""

from __future__ import annotations

from sevenfold.prove import gradients
from sevenfold.prove.proof import Case, Proof


def prove(case: Case) -> Proof:
    """Compare all rows in one packed pass with each row alone in a plain forward pass, in float32."""
    from sevenfold.tune.engine.passes import pack

    forward = gradients.float32_forward(case)
    sequences = gradients.uncertain_sequences(case)
    packed = gradients.of_passes(forward, [pack(sequences, case.section.objective.here)], case)
    alone = gradients.of_rows(forward, sequences, case)
    what = f"loss and gradients of {len(sequences)} rows packed and one by one, float32"
    return Proof.of("packing", alone.difference(packed), gradients.LIMIT, "relative difference", what)
