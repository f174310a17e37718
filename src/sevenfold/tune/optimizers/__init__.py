"""Optimisers: how a gradient becomes a step. One file each; its name is its name in the recipe."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from sevenfold.registry import Registry
from sevenfold.schema import Component

if TYPE_CHECKING:
    import torch


class Optimizer(Component):
    """The settings of an optimiser of torch; the learning rate is set by the schedule before each step."""

    @abstractmethod
    def build(self, parameters: list[torch.nn.Parameter]) -> torch.optim.Optimizer:
        """The optimiser for some parameters."""


OPTIMIZERS = Registry[Optimizer](__name__, Optimizer)
