"""The search of each variant: short trainings, one for each candidate, and the one with the lowest validation loss."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sevenfold.compare.process import Failure


@dataclass(frozen=True)
class Tried:
    """A candidate and what its training came to.

    Args:
        candidate: The keys that it sets.
        loss: The lowest validation loss behind its first step, of the variant's objective; None where it failed.
        seconds: Time of its steps.
        failure: Why it did not end well.
    """

    candidate: dict[str, Any]
    loss: float | None = None
    seconds: float = 0.0
    failure: Failure | None = None

    def as_json(self) -> dict[str, Any]:
        """The trial as the comparison keeps it."""
        failure = self.failure.as_json() if self.failure else None
        return {
            "candidate": self.candidate,
            "validation_loss": self.loss,
            "seconds": self.seconds,
            "failure": failure,
        }


@dataclass(frozen=True)
class Choice:
    """What a search chose.

    Args:
        chosen: The keys and values that were taken; None where every candidate failed.
        tried: All candidates; empty where there was nothing to choose from.
        edges: Each key whose choice was the lowest or the highest of several numbers: a better one may lie beyond.
    """

    chosen: dict[str, Any] | None
    tried: list[Tried] = field(default_factory=list)
    edges: dict[str, str] = field(default_factory=dict)


def choose(tried: Sequence[Tried]) -> Choice:
    """The candidate with the lowest validation loss, the first of equal ones."""
    ended = [one for one in tried if one.loss is not None and math.isfinite(one.loss)]
    if not ended:
        return Choice(None, list(tried))
    best = min(ended, key=lambda one: one.loss if one.loss is not None else math.inf)
    return Choice(best.candidate, list(tried), edges(tried, best.candidate))


def edges(tried: Sequence[Tried], chosen: dict[str, Any]) -> dict[str, str]:
    """Which chosen numbers are the lowest or the highest that were tried."""
    found = {}
    for key, value in chosen.items():
        values = {one.candidate[key] for one in tried if isinstance(one.candidate[key], int | float)}
        if len(values) > 1 and value in (min(values), max(values)):
            found[key] = "lowest" if value == min(values) else "highest"
    return found


def lowest(validation_losses: dict[str, float]) -> float | None:
    """The lowest validation loss behind the first step; step 0 is the base model."""
    trained = [loss for step, loss in validation_losses.items() if int(step) > 0]
    return min(trained) if trained else None
