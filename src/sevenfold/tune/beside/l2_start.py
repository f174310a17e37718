"""L2-SP: weights are pulled back to where they started (Li et al. 2018, arXiv 1802.01483)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import Field

from sevenfold.tune.beside import Start, Term, Working

if TYPE_CHECKING:
    from torch import nn


class L2Start(Term):
    r"""``strength / 2 * sum_i (w_i - s_i)^2`` over everything that the method moves, ``s`` being its start.

    Weight decay pulls to zero, away from what the model knows; this pulls to what it knows. Of an adapter the start is
    the base model, so the sum is the adapter's own distance from it. What an objective trains beside the network starts
    from nothing and is left alone. The pull is ``strength * (w_i - s_i)``: a weight comes to rest where the objective's
    gradient is as large. Try strengths a factor of ten apart; the figure of the term says how much of the loss it is.

    It costs a copy of what moves, and no pass.
    """

    main = "strength"
    strength: float = Field(1e-2, gt=0, description="How strongly weights are held; nats per squared unit of a weight.")

    def start(self, at: Start, name: str) -> Working:
        """Copy what moves."""
        from sevenfold.tune.beside._distance import Held

        return Held(name, at.weights, self.strength, power=2)

    def state_bytes(self, weights: Mapping[str, nn.Parameter]) -> int:
        """The copy."""
        return sum(weight.numel() * weight.element_size() for weight in weights.values())
