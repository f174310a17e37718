"""Two forward passes instead of a gradient: the network's memory is that of reading, not of learning."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from sevenfold.errors import TrainingError
from sevenfold.tune import accumulate
from sevenfold.tune.engine import noise
from sevenfold.tune.engine.moving import Guard, Mover, Named

if TYPE_CHECKING:
    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.engine.passes import Pass
    from sevenfold.tune.methods import Moment
    from sevenfold.tune.section import TuneSection


class Mezo(Mover):
    """Moves weights along random directions by the slope of the loss along each.

    Directions are drawn again from their seeds wherever they are needed, in parts, and never kept.

    Args:
        forward: The network.
        section: The recipe's section: objective, clipping (of slopes).
        weights: What moves, by name.
        eps: How far along a direction the loss is looked at, to both sides.
        directions: Directions of a step.
    """

    def __init__(self, forward: Forward, section: TuneSection, weights: Named, eps: float, directions: int) -> None:
        # Only the rate lies in it: there is no state to keep.
        optimizer = torch.optim.SGD([{"params": list(weights.values()), "factor": 1.0}], lr=0.0)
        super().__init__(forward, section, weights, {}, optimizer)
        self.eps, self.directions = eps, directions
        self.place = (0, 0)

    def begin(self, moment: Moment) -> None:
        """Directions, and what the network draws, are functions of seed and step."""
        self.place = (moment.seed, moment.step)

    @torch.no_grad()
    def step(self, batch: list[Pass], guard: Guard) -> tuple[float, float]:
        """Find the slope along each direction, then move along all of them.

        The weights are back in their places when the guard is called. The norm is the root of the mean squared slope,
        which estimates the norm of the gradient.
        """
        found = [self.slope(batch, direction) for direction in range(self.directions)]
        loss = sum(loss for loss, _ in found) / len(found)
        norm = math.sqrt(sum(slope**2 for _, slope in found) / len(found))
        last, back = self.directions - 1, self.eps
        try:
            guard(loss, norm)
        except TrainingError:
            self.shift(last, back)
            raise
        rate = self.optimizer.param_groups[0]["lr"] / self.directions
        for direction, (_, slope) in enumerate(found):
            self.shift(direction, (back if direction == last else 0.0) - rate * self.clipped(slope))
        return loss, norm

    def slope(self, batch: list[Pass], direction: int) -> tuple[float, float]:
        """The mean loss at both sides and its slope along a direction; the last direction is left at its lower side."""
        self.shift(direction, self.eps)
        above = self.loss(batch, direction)
        self.shift(direction, -2 * self.eps)
        below = self.loss(batch, direction)
        if direction < self.directions - 1:
            self.shift(direction, self.eps)
        return (above + below) / 2, (above - below) / (2 * self.eps)

    def clipped(self, slope: float) -> float:
        """A slope within ``tune.clip``."""
        return slope if self.clip is None else max(-self.clip, min(self.clip, slope))

    def shift(self, direction: int, factor: float) -> None:
        """Move all weights along a direction: ``w += factor * z``."""
        for number, weight in enumerate(self.weights):
            noise.add_normal(weight, factor, noise.generator(weight.device, *self.place, direction, number))

    def loss(self, batch: list[Pass], direction: int) -> float:
        """The batch's mean loss, nats; both sides of a direction draw the same random numbers (dropout)."""
        with torch.random.fork_rng():
            torch.manual_seed(noise.seed(*self.place, direction, len(self.weights)))
            return sum(float(loss) for loss in accumulate.losses(self.forward, self.objective, batch))
