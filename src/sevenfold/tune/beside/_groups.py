"""Weights of groups that follow their losses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from sevenfold.tune.beside import Working

if TYPE_CHECKING:
    from sevenfold.tune.engine.passes import Pass
    from sevenfold.tune.objectives import Figures, Objective


class Groups(Working):
    """Group DRO at work; every pass is of one group.

    Args:
        name: As of :class:`Working`.
        groups: Their names, by number.
        rate: How fast weights follow losses.
    """

    def __init__(self, name: str, groups: Sequence[str], rate: float) -> None:
        super().__init__(name)
        self.groups, self.rate = groups, rate
        # Float64: small steps of many groups are not lost.
        self.weights_G = torch.full((len(groups),), 1 / len(groups), dtype=torch.float64)
        self.losses_G = torch.zeros_like(self.weights_G)
        self.parts: list[tuple[int, float]] = []

    def factors(self, objective: Objective, batch: Sequence[Pass]) -> list[float]:
        """What a group counts over its weight in the step: ``sum_g q_g L_g`` comes out."""
        numbers = [int(part.columns["group"][0]) for part in batch]
        weights = [objective.weight(part) for part in batch]
        sums = dict.fromkeys(numbers, 0.0)
        for number, weight in zip(numbers, weights, strict=True):
            sums[number] += weight
        self.parts = [(number, sums[number]) for number in numbers]
        self.losses_G.zero_()
        return [float(self.weights_G[number]) / sums[number] for number in numbers]

    def seen(self, number: int, loss: Tensor) -> None:
        """A part of a group's mean loss."""
        group, weight = self.parts[number]
        self.losses_G[group] += float(loss) / weight

    def losses(self, share: float, figures: Figures | None) -> Iterator[Tensor]:
        """No rows of its own; the groups' weights are worth watching."""
        if figures is not None:
            for group, weight in zip(self.groups, self.weights_G.tolist(), strict=True):
                figures[f"weight of {group}"] = weight
        yield from ()

    def moved(self) -> None:
        """``q_g <- q_g exp(rate L_g)``, divided by their sum."""
        self.weights_G *= torch.exp(self.rate * self.losses_G)
        self.weights_G /= self.weights_G.sum()

    def state(self) -> dict[str, Tensor]:
        """The weights."""
        return {"weights": self.weights_G}
