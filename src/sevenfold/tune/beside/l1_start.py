"""L1-SP: most weights stay where they started (Li et al. 2018, arXiv 1802.01483)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import Field

from sevenfold.tune.beside import Start, Term, Working

if TYPE_CHECKING:
    from torch import nn


class L1Start(Term):
    r"""``strength * sum_i |w_i - s_i|`` over everything that the method moves, ``s`` being its start.

    The pull is the same near and far, so that weights whose gradient is below the strength return to their start, and
    only what matters moves; an optimiser with momentum keeps them around it, not exactly on it. What an objective
    trains beside the network is left alone. It costs a copy of what moves, and no pass.
    """

    main = "strength"
    strength: float = Field(1e-5, gt=0, description="How strongly weights are held; nats per unit of a weight.")

    def start(self, at: Start, name: str) -> Working:
        """Copy what moves."""
        from sevenfold.tune.beside._distance import Held

        return Held(name, at.weights, self.strength, power=1)

    def state_bytes(self, weights: Mapping[str, nn.Parameter]) -> int:
        """The copy."""
        return sum(weight.numel() * weight.element_size() for weight in weights.values())
