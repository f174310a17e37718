"""Optimisers: how a gradient becomes a step. One file each; its name is its name in the recipe."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from sevenfold.registry import Registry
from sevenfold.schema import Component

if TYPE_CHECKING:
    import torch

    from sevenfold.tune.section import TuneSection

FLOAT32 = 4
"""Bytes of a number of most optimisers' state."""


class Optimizer(Component):
    """The settings of an optimiser of torch; the learning rate is set by the schedule before each step."""

    @abstractmethod
    def build(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        """The optimiser for groups of parameters.

        Args:
            groups: Each has ``params``, ``matrices`` (whether they have two dimensions or more) and ``factor`` (of the
                learning rate). An optimiser may add its own settings and must keep these.
        """

    def for_weights(
        self, weights: Mapping[str, torch.nn.Parameter], rates: Mapping[str, float]
    ) -> torch.optim.Optimizer:
        """The optimiser for named weights.

        Args:
            weights: What moves, by name.
            rates: Factors of the learning rate by name; what is not named has 1.
        """
        found: dict[tuple[bool, float], list[torch.nn.Parameter]] = {}
        for name, weight in weights.items():
            found.setdefault((weight.ndim >= 2, rates.get(name, 1.0)), []).append(weight)
        groups = [{"params": part, "matrices": kind, "factor": factor} for (kind, factor), part in found.items()]
        return self.build(groups)

    def state_bytes(self, weights: Mapping[str, torch.nn.Parameter]) -> int:
        """Bytes of the state for named weights, whose values are not read; as it stands two float32 numbers each."""
        return 2 * FLOAT32 * sum(weight.numel() for weight in weights.values())

    def settled(self, optimizer: torch.optim.Optimizer) -> AbstractContextManager[object]:
        """Inside the block, weights are those that the training is for, where it moves others."""
        return nullcontext()

    def settle(self, optimizer: torch.optim.Optimizer) -> None:
        """Leave the weights so at the end of the training."""

    def check(self, section: TuneSection) -> None:
        """Refuse what the rest of the recipe's section asks and this optimiser cannot do.

        Raises:
            RecipeError: The two have no meaning together.
        """


OPTIMIZERS = Registry[Optimizer](__name__, Optimizer)
