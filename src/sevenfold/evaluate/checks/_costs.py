"""What a disturbance costs a model: the same rows with and without it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sevenfold.evaluate.examined import Examined, Figure, Weighing, number
from sevenfold.findings import Chart

LOST = "lost "
"""Before a figure's name: how much worse it is than without the disturbance."""


@dataclass(frozen=True)
class Cost:
    """What one perturbation costs one model in one figure.

    Args:
        way: The perturbation.
        model: ``base`` or ``tuned``.
        figure: The figure's name.
        clean: Without the disturbance.
        noisy: With it.
        lost: How much worse that is.
        interval: Of what is lost.
        sure: Whether the interval says that something is lost.
        rows: Rows that it is measured on.
    """

    way: str
    model: str
    figure: str
    clean: float
    noisy: float
    lost: float
    interval: tuple[float, float]
    sure: bool
    rows: int

    @property
    def share(self) -> float:
        """What is lost as a share of what was there."""
        return self.lost / abs(self.clean) if self.clean else math.copysign(math.inf, self.lost)

    def line(self) -> tuple[str, ...]:
        """A table's line."""
        low, high = self.interval
        told = "yes" if self.sure else "no"
        figures = (number(self.clean), number(self.noisy), number(self.lost), f"{low:.3g} to {high:.3g}")
        return self.way, self.model, self.figure, *figures, told

    def as_json(self) -> dict[str, Any]:
        """The same for ``result.json``."""
        return {**vars(self), "interval": list(self.interval)}


def costs_of(figures: Sequence[Figure], sides: dict[str, Examined], weighing: Weighing) -> Iterator[Cost]:
    """Every perturbation's cost to each model: the paired difference to the same rows as they are."""
    groups = list(dict.fromkeys(item["group"] for item in next(iter(sides.values())).items))
    for way in groups:
        for model, side in sides.items():
            own = side.part(way)
            for figure in figures:
                if LOST + figure.name in own.values and (cost := cost_of(way, model, figure, own, weighing)):
                    yield cost


def cost_of(way: str, model: str, figure: Figure, own: Examined, weighing: Weighing) -> Cost | None:
    """One cost; None where no row has both values."""
    sign = 1.0 if figure.better == "lower" else -1.0
    noisy = np.array(own.values[figure.name])
    lost = np.array(own.values[LOST + figure.name])
    clean = noisy - sign * lost
    before, after = (Examined(own.items, {figure.name: list(values)}) for values in (clean, noisy))
    paired = weighing.compare(figure, before, after)
    if paired is None:
        return None
    # Adding zero makes a zero of either sign one without.
    low, high = sorted(sign * end + 0.0 for end in paired.interval)
    difference = sign * paired.difference + 0.0
    sure = paired.better == "no"
    return Cost(way, model, figure.name, paired.base, paired.tuned, difference, (low, high), sure, paired.rows)


def charts(costs: Sequence[Cost], figures: Sequence[Figure]) -> list[Chart]:
    """What the tuned model loses under each perturbation, by the first metric, else by the reference's loss."""
    name = next((one.name for one in figures if any(cost.figure == one.name for cost in costs)), None)
    own = [cost for cost in costs if cost.figure == name and cost.model == "tuned"]
    if not own:
        return []
    names, values = [cost.way for cost in own], [cost.lost for cost in own]
    says = "What lies right of zero is lost by typing the question in this way."
    return [Chart("bars", f"{name}, worse by (tuned model)", names, values, says)]


def sentence(sure: Sequence[Cost], rows: int) -> str:
    """What costs the tuned model something for sure."""
    if not sure:
        return f"On {rows} rows no disturbance is sure to make the tuned model worse."
    ways = list(dict.fromkeys(cost.way for cost in sure))
    worst = sure[0]
    share = f", {worst.share:.0%} of it" if math.isfinite(worst.share) else ""
    return (
        f"On {rows} rows {', '.join(ways)} make the tuned model worse; most so {worst.way}: {worst.figure} "
        f"{number(worst.clean)} to {number(worst.noisy)}{share}."
    )


AUGMENT = {"typos": "typos", "case": "case_digits", "persian_digits": "case_digits", "arabic_letters": "case_digits"}
"""The perturbations that training rows can be augmented with, by the name of prepare's augmenter."""
NORMALISED = ("white_space", "arabic_letters", "zwnj", "homoglyphs", "persian_digits")
"""What can be put right in a question before the model reads it."""


def advice(sure: Sequence[Cost]) -> list[str]:
    """What helps against each that costs something."""
    found = []
    for way in dict.fromkeys(cost.way for cost in sure):
        if way in AUGMENT:
            found.append(f"{way}: teach it with prepare.training: [{{augment: {{ways: [{AUGMENT[way]}]}}}}]")
        if way in NORMALISED:
            found.append(f"{way}: put questions into one form before they are asked, as prepare.clean does with rows")
    return found
