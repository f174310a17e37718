"""Prompts that are not like those of training."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from sevenfold.monitor.baseline import Baseline
from sevenfold.monitor.checks import Check, Finding
from sevenfold.monitor.samples import Distance, Features, compare
from sevenfold.monitor.window import Window

DISTANCES = 3
"""Distances that are looked at, and so the factor on the smallest p-value."""


class Drift(Check):
    """Whether people ask something else than the model was trained on.

    Three distances (length, words, character trigrams), each with a permutation p-value; the smallest p-value counts,
    times three for having looked three times (Bonferroni). An alarm needs both: a p-value that chance does not give,
    and a distance that matters. ``calibrate`` measures how often prompts of the training itself raise an alarm.
    """

    main: ClassVar[str | None] = "alpha"
    gives: ClassVar[tuple[str, ...]] = (
        "prompts",
        "p_value",
        "length_psi",
        "length_psi_excess",
        "words_js",
        "words_js_excess",
        "trigram_energy",
    )

    alpha: float = Field(0.01, gt=0, lt=1, description="Alarm below this p-value; the false alarms that are accepted.")
    minimum: int = Field(
        50, ge=2, description="Prompts below which no verdict is given; 50 show when a fifth is foreign."
    )
    length_psi: float = Field(
        0.1, ge=0, description="Length matters from this stability index above chance; 0.1 is the usual moderate shift."
    )
    words_js: float = Field(
        0.02, ge=0, description="Words matter from this divergence above chance, bits; met by about a fifth foreign."
    )
    trigram_energy: float = Field(
        0.005, ge=0, description="Trigrams matter from this energy coefficient; met by about a tenth foreign prompts."
    )
    permutations: int = Field(499, ge=99, description="Random relabellings behind a p-value.")
    trials: int = Field(100, ge=0, description="Windows without drift on which false alarms are counted; 0: none.")
    seed: int = Field(17, ge=0, description="The seed of relabellings and trials.")

    @model_validator(mode="after")
    def enough_permutations(self) -> Self:
        """Refuse a limit that no p-value of so few relabellings can reach."""
        needed = int(DISTANCES / self.alpha)
        if self.permutations < needed:
            raise ValueError(f"{self.permutations} permutations cannot show p < {self.alpha:g}; at least {needed} can")
        return self

    def judge(self, window: Window, baseline: Baseline) -> Finding:
        """Look at a window."""
        prompts = window.prompts
        if len(baseline.prompts) < self.minimum:
            reason = f"{len(baseline.prompts)} training prompts; {self.minimum} are needed to judge drift"
            return self.finding("unknown", reason, prompts=float(len(prompts)))
        if len(prompts) < self.minimum:
            reason = f"{len(prompts)} prompts; {self.minimum} are needed to judge drift"
            return self.finding("unknown", reason, prompts=float(len(prompts)))
        return self.verdict(Features.of(prompts), Features.of(baseline.prompts), self.seed)

    def verdict(self, new: Features, known: Features, seed: int) -> Finding:
        """The finding on measured texts."""
        found = compare(new, known, self.permutations, seed)
        p_value = min(1.0, DISTANCES * min(distance.p_value for distance in found.values()))
        far = self.far(found)
        drifted = p_value < self.alpha and bool(far)
        figures = {
            "prompts": float(len(new)),
            "p_value": p_value,
            "length_psi": found["length"].value,
            "length_psi_excess": excess(found["length"]),
            "words_js": found["words"].value,
            "words_js_excess": excess(found["words"]),
            "trigram_energy": found["trigrams"].value,
        }
        return self.finding("alarm" if drifted else "ok", self.reason(p_value, far), **figures)

    def far(self, found: dict[str, Distance]) -> list[str]:
        """The distances that matter, in words."""
        limits = {"length": self.length_psi, "words": self.words_js, "trigrams": self.trigram_energy}
        # The energy coefficient has mean 0 by chance, the other two have not.
        return [
            f"{name} {excess(found[name]):.3g} above chance (limit {limit:g})"
            for name, limit in limits.items()
            if excess(found[name]) >= limit
        ]

    def reason(self, p_value: float, far: list[str]) -> str:
        """The verdict in a sentence."""
        if p_value >= self.alpha:
            return f"the prompts are like those of training (p = {p_value:.2g})"
        if not far:
            return f"the prompts differ (p = {p_value:.2g}), but by too little to matter"
        return f"the prompts differ from those of training (p = {p_value:.2g}): {', '.join(far)}"

    def calibrate(self, baseline: Baseline) -> dict[str, Any]:
        """False alarms on windows drawn from the training prompts themselves.

        Each trial draws a window and, from the rest, what it is compared with. Without replacement: a prompt drawn
        twice would itself be a difference.

        Args:
            baseline: The training prompts.

        Returns:
            ``trials``, ``window`` (prompts), ``alarms``, ``rate``, ``low`` and ``high`` (95 % Clopper-Pearson), or
            ``too_few`` with the number of prompts that are needed.
        """
        import numpy as np
        from scipy.stats import binomtest

        total = len(baseline.prompts)
        if total < 2 * self.minimum or not self.trials:
            return {"trials": 0, "too_few": total < 2 * self.minimum, "needed": 2 * self.minimum}
        size = min(total // 2, 4 * self.minimum)
        features, draw = Features.of(baseline.prompts), np.random.default_rng(self.seed)
        alarms = 0
        for trial in range(self.trials):
            order = draw.permutation(total)
            finding = self.verdict(features.take(order[:size]), features.take(order[size:]), self.seed + trial)
            alarms += finding.verdict == "alarm"
        low, high = binomtest(alarms, self.trials).proportion_ci()
        return {
            "trials": self.trials,
            "window": size,
            "alarms": alarms,
            "rate": alarms / self.trials,
            "low": float(low),
            "high": float(high),
        }


def excess(distance: Distance) -> float:
    """How much a distance is above what chance gives at this sample size."""
    return distance.value - distance.expected
