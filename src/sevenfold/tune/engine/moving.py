"""When weights move: behind the backward pass, or in it."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor

from sevenfold.errors import TrainingError
from sevenfold.tune import accumulate

if TYPE_CHECKING:
    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.engine.passes import Pass
    from sevenfold.tune.methods import Moment
    from sevenfold.tune.objectives import Figures
    from sevenfold.tune.section import TuneSection

Named = Mapping[str, torch.nn.Parameter]
Guard = Callable[[float, float], None]
"""Called with the loss and the norm of the gradient as far as it is known; raises before anything moves."""


class Mover(ABC):
    """Gradients of a step's passes, and the optimiser's step.

    Args:
        forward: The network.
        section: The recipe's section: objective, optimiser, clipping.
        weights: What moves, by name.
        rates: Factors of the learning rate by name; what is not named has 1.
        optimizer: Moves the weights in place of the recipe's; its groups have a ``factor`` of the learning rate.

    ``figures`` are the objective's, means over the last step; empty where a mover does not watch them.
    """

    def __init__(
        self,
        forward: Forward,
        section: TuneSection,
        weights: Named,
        rates: Mapping[str, float],
        optimizer: torch.optim.Optimizer | None = None,
    ) -> None:
        self.forward, self.objective, self.clip = forward, section.objective, section.clip
        self.figures: Figures = {}
        self.weights = list(weights.values())
        self.optimizer = optimizer or section.optimizer.for_weights(weights, rates)

    def begin(self, moment: Moment) -> None:  # noqa: B027
        """Before a step's passes; what a step draws at random is a function of the moment."""

    @abstractmethod
    def step(self, batch: list[Pass], guard: Guard) -> tuple[float, float]:
        """Learn from the passes of one step; no gradient is left behind.

        Args:
            batch: The passes.
            guard: Stops before a bad step moves anything.

        Returns:
            The mean loss, nats, and the norm of the whole gradient before clipping.
        """

    def set_rate(self, rate: float) -> None:
        """The learning rate of the next step."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["factor"]

    def forget(self) -> None:
        """Free all gradients."""
        self.optimizer.zero_grad(set_to_none=True)


class BehindBackward(Mover):
    """All gradients first, then one step of the optimiser: the gradient's norm is known before anything moves."""

    def step(self, batch: list[Pass], guard: Guard) -> tuple[float, float]:
        """All passes forward and backward, then clipping, then the optimiser."""
        self.figures = {}
        loss = accumulate.gradients(self.forward, self.objective, batch, self.figures)
        norm = torch.nn.utils.get_total_norm([weight.grad for weight in self.weights if weight.grad is not None])
        guard(loss, float(norm))
        if self.clip is not None:
            torch.nn.utils.clip_grads_with_norm_(self.weights, self.clip, norm)
        self.optimizer.step()
        self.forget()
        return loss, float(norm)


class InBackward(Mover):
    """Each weight moves as soon as its gradient is complete, in the backward pass of the step's last pass.

    Equals :class:`BehindBackward` without clipping. The gradients of all weights never exist together, where a step is
    one pass. The optimiser's state, and so a checkpoint, is the same: of its weights torch's optimisers move those that
    have a gradient, and here that is one at a time.
    """

    cautious: ClassVar[str] = (
        "lower tune.learning_rate, use setup.precision: float32, or set tune.engine.step_in_backward: false, which "
        "looks at all gradients before a weight moves"
    )
    """What to do about a gradient that is not a number."""

    def step(self, batch: list[Pass], guard: Guard) -> tuple[float, float]:
        """All passes forward and backward; the guard sees the mean loss before the last one goes backward."""
        loss, norm = self.visit(batch, lambda loss: guard(loss, 0.0), self.move)
        if not math.isfinite(norm):
            raise TrainingError(
                f"the norm of the gradient is not a number (loss {loss}, norm {norm}), and weights moved by it; "
                "the last checkpoint is from before",
                next_step=self.cautious,
            )
        return loss, norm

    def move(self, weight: torch.nn.Parameter) -> None:
        """Move the only weight that has a gradient now."""
        self.optimizer.step()

    def visit(
        self, batch: list[Pass], ready: Callable[[float], None], act: Callable[[torch.nn.Parameter], None]
    ) -> tuple[float, float]:
        """All passes forward and backward; each weight's whole gradient is acted on and freed.

        Args:
            batch: The passes of one step.
            ready: Called with the mean loss, nats, before the last pass goes backward.
            act: Called with each weight when its gradient is complete; no other weight has one then.

        Returns:
            The mean loss, and the norm of all gradients before they were acted on.
        """
        self.figures = {}
        losses = accumulate.losses(self.forward, self.objective, batch, self.figures)
        total = 0.0
        for _ in range(accumulate.beside(self.forward) + len(batch) - 1):
            loss = next(losses)
            loss.backward()
            total += float(loss.detach())
        last = next(losses)
        total += float(last.detach())
        ready(total)
        return total, self.visit_last(last, act)

    def visit_last(self, loss: Tensor, act: Callable[[torch.nn.Parameter], None]) -> float:
        """The last pass backward; gives the norm of all gradients."""
        earlier = {weight: weight.grad for weight in self.weights if weight.grad is not None}
        self.forget()
        norms: list[Tensor] = []

        def complete(weight: torch.nn.Parameter) -> None:
            # That of earlier passes is added, which is where it would have been.
            gradient: Tensor = weight.grad  # type: ignore[assignment]
            if weight in earlier:
                gradient = weight.grad = earlier.pop(weight).add_(gradient)
            norms.append(torch.linalg.vector_norm(gradient, dtype=torch.float32))
            act(weight)
            weight.grad = None

        moving = [weight for weight in self.weights if weight.requires_grad]
        handles = [weight.register_post_accumulate_grad_hook(complete) for weight in moving]
        try:
            loss.backward()
        finally:
            for handle in handles:
                handle.remove()
        # Weights that the last pass did not use, such as an expert of a mixture.
        for weight in list(earlier):
            weight.grad = torch.zeros_like(weight)
            complete(weight)
        return float(torch.nn.utils.get_total_norm(norms))


def mover(
    forward: Forward,
    section: TuneSection,
    weights: Named,
    rates: Mapping[str, float],
    optimizer: torch.optim.Optimizer | None = None,
) -> Mover:
    """The way of moving that the recipe asks for; arguments as of :class:`Mover`."""
    kind = InBackward if section.engine.step_in_backward else BehindBackward
    return kind(forward, section, weights, rates, optimizer)
