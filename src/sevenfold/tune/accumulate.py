"""Gradients of a step's rows, however they were laid into passes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sevenfold.tune.engine.passes import joined
from sevenfold.tune.objectives import Figures, Objective

if TYPE_CHECKING:
    from torch import Tensor

    from sevenfold.tune.beside import Working
    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.engine.passes import Pass


def gradients(forward: Forward, objective: Objective, batch: list[Pass], figures: Figures | None = None) -> float:
    """Add the gradients of a step's loss to the parameters that move.

    Args:
        forward: The network.
        objective: The loss, summed over targets.
        batch: The passes of one optimiser step.
        figures: The objective's other figures are added here, as means.

    Returns:
        The loss, nats: the objective's mean, and what stands beside it.
    """
    total = 0.0
    for loss in losses(forward, objective, batch, figures):
        loss.backward()
        total += float(loss.detach())
    return total


def losses(
    forward: Forward, objective: Objective, batch: list[Pass], figures: Figures | None = None
) -> Iterator[Tensor]:
    """What each pass adds to a step's loss, in nats; one forward pass for each that is asked for.

    First the passes of what stands beside the objective (:attr:`Forward.terms`), as many as :func:`beside` says, then
    the batch's. What asks something of the weights alone is added to the last of all, so that each weight's gradient is
    complete in that pass's backward.
    """
    terms = forward.terms
    weight = sum(objective.weight(part) for part in batch)
    others = [term.weight(weight) for term in terms]
    whole = weight + sum(others)
    for term, own in zip(terms, others, strict=True):
        yield from term.losses(own / whole, figures)
    for number, loss in enumerate(of_objective(forward, objective, batch, figures, terms), 1):
        part = loss if whole == weight else loss * (weight / whole)
        yield part if number < len(batch) else part + penalties(terms, figures)


def beside(forward: Forward) -> int:
    """Passes of a step that are not the objective's."""
    return sum(term.passes for term in forward.terms)


def penalties(terms: Sequence[Working], figures: Figures | None) -> Tensor | float:
    """The sum of what terms ask of the weights."""
    found = {term.name: value for term in terms if (value := term.penalty()) is not None}
    if figures is not None:
        figures.update({name: float(value.detach()) for name, value in found.items()})
    return sum(found.values())


def of_objective(
    forward: Forward,
    objective: Objective,
    batch: list[Pass],
    figures: Figures | None = None,
    terms: Sequence[Working] = (),
) -> Iterator[Tensor]:
    """What each pass adds to the objective's mean loss.

    Every pass is divided by the weight of all passes together, so the sum does not depend on how rows were laid into
    passes: never a mean of means. One of ``terms`` may weigh passes otherwise.
    """
    weight = sum(objective.weight(part) for part in batch)
    if objective.joint and len(batch) > 1:
        yield from joint_losses(forward, objective, batch, weight, figures)
        return
    weighing = [(term, factors) for term in terms if (factors := term.factors(objective, batch)) is not None]
    for number, part in enumerate(batch):
        part = part.to(str(forward.device))
        outputs = objective.outputs(forward, part)
        add(figures, objective, outputs, part, weight)
        loss = objective.loss(outputs, part)
        for term, _ in weighing:
            term.seen(number, loss.detach())
        yield loss * weighing[0][1][number] if weighing else loss / weight


def joint_losses(
    forward: Forward, objective: Objective, batch: list[Pass], weight: float, figures: Figures | None
) -> Iterator[Tensor]:
    """The losses of a loss that is no sum over passes, without all activations at once.

    The outputs of all passes are computed without gradients, then the loss of all and its gradient for each output;
    then each pass goes through again and takes its part of that gradient (GradCache, Gao et al. 2021, arXiv
    2101.06983). Dropout draws the same numbers both times.
    """
    import torch

    batch = [part.to(str(forward.device)) for part in batch]
    states = []
    with torch.no_grad():
        outputs = []
        for part in batch:
            states.append(random_state())
            outputs.append(objective.outputs(forward, part))
    leaves = [output.requires_grad_() for output in outputs]
    with torch.enable_grad():
        whole, everything = torch.cat(leaves), joined(batch)
        loss = objective.loss(whole, everything) / weight
    add(figures, objective, whole, everything, weight)
    slopes = torch.autograd.grad(loss, leaves)
    for part, state, slope in zip(batch, states, slopes, strict=True):
        with as_drawn(state):
            again = objective.outputs(forward, part)
        share = (again * slope).sum()
        # The gradient is this pass's, the value its equal part of the loss.
        yield share - share.detach() + loss.detach() / len(batch)


def random_state() -> list[Tensor]:
    """The state of torch's global generators."""
    import torch

    return [torch.get_rng_state(), *(torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [])]


@contextmanager
def as_drawn(state: list[Tensor]) -> Iterator[None]:
    """Draw inside the block what was drawn from a state on; the generators go on from where they are now."""
    now = random_state()
    set_state(state)
    try:
        yield
    finally:
        set_state(now)


def set_state(state: list[Tensor]) -> None:
    """Set torch's global generators."""
    import torch

    torch.set_rng_state(state[0])
    if len(state) > 1:
        torch.cuda.set_rng_state_all(state[1:])


def add(figures: Figures | None, objective: Objective, outputs: Tensor, batch: Pass, weight: float) -> None:
    """Add a pass's figures, as parts of the step's means."""
    import torch

    if figures is not None:
        with torch.no_grad():
            for name, value in objective.figures(outputs.detach(), batch).items():
                figures[name] = figures.get(name, 0.0) + float(value) / weight


def mean(forward: Forward, objective: Objective, batch: list[Pass]) -> tuple[float, Figures]:
    """The mean loss, nats, and the other figures, without gradients and without dropout."""
    import torch

    figures: Figures = {}
    parts = [part for part in (forward.network, forward.own) if part is not None]
    training = forward.network.training
    for part in parts:
        part.eval()
    try:
        with torch.no_grad():
            if objective.joint:
                moved = [one.to(str(forward.device)) for one in batch]
                outputs, whole = torch.cat([objective.outputs(forward, one) for one in moved]), joined(moved)
                weight = objective.weight(whole)
                add(figures, objective, outputs, whole, weight)
                return float(objective.loss(outputs, whole)) / weight, figures
            return sum(float(loss) for loss in of_objective(forward, objective, batch, figures)), figures
    finally:
        for part in parts:
            part.train(training)
