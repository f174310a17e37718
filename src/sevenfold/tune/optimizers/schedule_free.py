"""Schedule-free AdamW: an average in the place of a falling rate (Defazio et al. 2024, arXiv 2405.15682)."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from pydantic import Field

from sevenfold.errors import RecipeError
from sevenfold.tune.optimizers import Optimizer

if TYPE_CHECKING:
    import torch

    from sevenfold.tune.section import TuneSection


class ScheduleFree(Optimizer):
    """Three points: ``z`` steps, ``x`` averages, the gradient is taken at ``y`` between them.

    ``y = (1 - beta1) z + beta1 x``; ``z -= rate * (g(y) / (sqrt(v') + eps) + decay * y)`` with Adam's second moment;
    ``x = (1 - c) x + c z`` with ``c = rate^2 / sum of rate^2``. Training moves y; what is validated and kept is x. The
    number of steps need not be known: the recipe's schedule is ``constant``, with a warm-up.
    """

    beta1: float = Field(0.9, gt=0, lt=1, description="Where the gradient is taken: 1 at the average, 0 at what steps.")
    beta2: float = Field(0.999, ge=0, lt=1, description="Decay of the mean of squared gradients.")
    eps: float = Field(1e-8, gt=0, description="Added to the root of the second moment.")
    weight_decay: float = Field(0.0, ge=0, description="Share of a matrix taken off per step, times the learning rate.")

    def build(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        """Our own; torch has none."""
        from sevenfold.tune.optimizers._averaged import Averaged

        decayed = [{**group, "weight_decay": self.weight_decay if group["matrices"] else 0.0} for group in groups]
        return Averaged(decayed, self.beta1, self.beta2, self.eps)

    def settled(self, optimizer: torch.optim.Optimizer) -> AbstractContextManager[object]:
        """Weights are x inside the block."""
        from sevenfold.tune.optimizers._averaged import Averaged

        return optimizer.settled() if isinstance(optimizer, Averaged) else nullcontext()

    def settle(self, optimizer: torch.optim.Optimizer) -> None:
        """Weights are x from now on."""
        from sevenfold.tune.optimizers._averaged import Averaged

        if isinstance(optimizer, Averaged):
            optimizer.settle()

    def check(self, section: TuneSection) -> None:
        """Refuse a rate that falls.

        Raises:
            RecipeError: The schedule is not constant.
        """
        from sevenfold.tune.schedules import SCHEDULES

        if SCHEDULES.name_of(section.schedule) != "constant":
            raise RecipeError(
                f"tune.optimizer schedule_free averages weights in the place of a falling rate, and tune.schedule is "
                f"{SCHEDULES.name_of(section.schedule)}",
                expected="a rate that stays",
                next_step="tune.schedule: constant",
            )
