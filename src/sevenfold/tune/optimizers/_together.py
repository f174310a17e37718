"""Several optimisers, each for its own parameters, as one."""

from __future__ import annotations

from collections.abc import Callable

import torch


class Together(torch.optim.Optimizer):
    """Steps all of them; their groups and their state are seen as its own.

    Args:
        parts: At least one; no parameter is in two.
    """

    def __init__(self, parts: list[torch.optim.Optimizer]) -> None:
        self.parts = parts
        super().__init__([group for part in parts for group in part.param_groups], {})
        # The same objects: a rate that is set here is set there, and state that is loaded here is theirs.
        self.param_groups = [group for part in parts for group in part.param_groups]
        for part in parts:
            part.state = self.state

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Move the weights that have a gradient."""
        for part in self.parts:
            part.step()
