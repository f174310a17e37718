"""What a training's record says of its steps beside their losses: rates, gradients, and what was set."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sevenfold.evaluate.metrics import Floats
    from sevenfold.tune.tuned import Tuned

SUDDEN = 10.0
"""A gradient's norm that is so many times the median before it is a jump."""
CALM, RECENT = 5, 50
"""Steps before a jump that its median needs, and those that it is of."""


@dataclass(frozen=True)
class Trained:
    """The record of a training of N steps.

    Args:
        rates: The learning rate of each step; empty where it is not known.
        norms: The norm of each step's gradient before clipping; empty where it is not known.
        settings: What was set, by name, as the tuned model's record holds it; empty where it is not known.
    """

    rates: Sequence[float] = ()
    norms: Sequence[float] = ()
    settings: Mapping[str, float | int | str | None] = field(default_factory=dict)

    @classmethod
    def of(cls, tuned: Tuned) -> Trained:
        """The record that a tuned model keeps; what does not fit its losses is left out."""
        history = tuned.history() if (tuned.folder / "history.jsonl").is_file() else []
        if len(history) != len(tuned.losses):
            return cls(settings=tuned.settings)
        # Where a step has no norm (weights that move in the backward pass) it is null.
        norms = [math.nan if (norm := step.get("gradient_norm")) is None else float(norm) for step in history]
        return cls([float(step["learning_rate"]) for step in history], norms, tuned.settings)

    def figure(self, name: str) -> float | None:
        """A setting that is a number."""
        value = self.settings.get(name)
        return float(value) if isinstance(value, int | float) else None

    def evidence(self) -> dict[str, float]:
        """The record in a few figures.

        Returns:
            ``learning_rate``, the highest; of the gradients' norms ``gradient_first``, ``gradient_median`` and
            ``gradient_last`` (medians of the first tenth, of all and of the last tenth), ``gradient_highest``, and
            ``clipped``, the share of steps whose gradient was longer than the limit and so was scaled down.
        """
        found: dict[str, float] = {"learning_rate": max(self.rates)} if self.rates else {}
        norms = np.asarray(self.norms, dtype=np.float64)
        known = norms[np.isfinite(norms)]
        if len(known):
            width = max(1, len(known) // 10)
            found |= {
                "gradient_first": float(np.median(known[:width])),
                "gradient_median": float(np.median(known)),
                "gradient_last": float(np.median(known[-width:])),
                "gradient_highest": float(known.max()),
            }
            if (clip := self.figure("clip")) is not None:
                found["clipped"] = float((known > clip).mean())
        return found

    def calm(self, step: int | None) -> float | None:
        """The median norm of the gradients before a step, or of all; None where there are none."""
        norms = np.asarray(self.norms[: step - 1] if step and step > CALM else self.norms, dtype=np.float64)
        known = norms[np.isfinite(norms)]
        return float(np.median(known)) if len(known) else None

    def jump(self) -> int | None:
        """The first step, from 1, whose gradient is :data:`SUDDEN` times the median of the :data:`RECENT` before it."""
        norms = np.asarray(self.norms, dtype=np.float64)
        known = norms[np.isfinite(norms)]
        for place in np.flatnonzero(norms > SUDDEN * known.min()) if len(known) else ():
            before = norms[max(0, place - RECENT) : place]
            usual = before[np.isfinite(before)]
            if len(usual) >= CALM and norms[place] > SUDDEN * float(np.median(usual)) > 0:
                return int(place) + 1
        return None

    def distance(self, steps: int) -> Floats:
        """The share of all learning rates that lies up to each step, ``N``, from above 0 to 1.

        A schedule that falls to zero flattens any curve, so how far a training has come is told by the sum of its
        rates and not by its steps.
        """
        rates = np.asarray(self.rates, dtype=np.float64)
        if len(rates) != steps or not rates.sum() > 0:
            rates = np.ones(steps)
        return np.cumsum(rates) / rates.sum()
