"""Gradients of a step's rows, however they were laid into passes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sevenfold.tune.objectives import Objective

if TYPE_CHECKING:
    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.engine.passes import Pass


def gradients(forward: Forward, objective: Objective, batch: list[Pass]) -> float:
    """Add the gradients of the batch's mean loss per target to the parameters that move.

    Every pass is divided by the weight of all passes together, so the result does not depend on how rows were laid
    into passes: never a mean of means.

    Args:
        forward: The network.
        objective: The loss, summed over targets.
        batch: The passes of one optimiser step.

    Returns:
        The mean loss, nats.
    """
    weight = sum(part.weight for part in batch)
    total = 0.0
    for part in batch:
        loss = objective.loss(forward(part), part.weights_N.to(forward.device)) / weight
        loss.backward()
        total += float(loss.detach())
    return total
