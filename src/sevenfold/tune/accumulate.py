"""Gradients of a step's rows, however they were laid into passes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sevenfold.tune.objectives import Objective

if TYPE_CHECKING:
    from torch import Tensor

    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.engine.passes import Pass


def gradients(forward: Forward, objective: Objective, batch: list[Pass]) -> float:
    """Add the gradients of the batch's mean loss per target to the parameters that move.

    Args:
        forward: The network.
        objective: The loss, summed over targets.
        batch: The passes of one optimiser step.

    Returns:
        The mean loss, nats.
    """
    total = 0.0
    for loss in losses(forward, objective, batch):
        loss.backward()
        total += float(loss.detach())
    return total


def losses(forward: Forward, objective: Objective, batch: list[Pass]) -> Iterator[Tensor]:
    """What each pass adds to the batch's mean loss per target, in nats; one forward pass for each that is asked for.

    Every pass is divided by the weight of all passes together, so the sum does not depend on how rows were laid into
    passes: never a mean of means.
    """
    weight = sum(part.weight for part in batch)
    for part in batch:
        yield objective.loss(forward(part), part.weights_N.to(forward.device)) / weight
