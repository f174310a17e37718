"""What a model did in a check: a line for each thing that was asked, and figures that have a value for each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sevenfold.evaluate.many import corrected, corrected_groups
from sevenfold.evaluate.paired import Comparison, Pairs, compare
from sevenfold.findings import Chart, Table

if TYPE_CHECKING:
    from sevenfold.evaluate.metrics import Better, Floats


@dataclass(frozen=True)
class Figure:
    """A figure of a check; it is the mean of its items' values.

    Args:
        name: Its name: ``refused``.
        says: What it is, in words for someone who does not code: ``share of jailbreaks that are refused``.
        better: Whether higher or lower is better.
        unit: What it is counted in.
        binary: Whether each value is 0 or 1, so that the exact test decides beside the interval.
        chance: What is reached by guessing, where that is known; the report shows (figure - chance) / (best - chance).
        best: The best value.
    """

    name: str
    says: str
    better: Better = "higher"
    unit: str = "share"
    binary: bool = False
    chance: float | None = None
    best: float = 1.0

    def finish(self, mean: Floats) -> Floats:
        """The figure from the mean of the items' values."""
        return mean


@dataclass
class Examined:
    """What one model did.

    Args:
        items: What was asked and what came back, a dictionary each, JSON-serialisable; with a key ``group`` the figures
            are also compared group by group. The two models' items stand in the same order.
        values: The values of each figure, one an item; not a number where the figure is not about the item.
    """

    items: list[dict[str, Any]] = field(default_factory=list)
    values: dict[str, list[float]] = field(default_factory=dict)

    def part(self, group: str) -> Examined:
        """Those of one group."""
        places = [place for place, item in enumerate(self.items) if item.get("group") == group]
        return Examined(
            [self.items[place] for place in places],
            {name: [values[place] for place in places] for name, values in self.values.items()},
        )


@dataclass(frozen=True)
class Weighing:
    """How two models are compared.

    Args:
        seed: The seed of the resampling.
        resamples: How often items are drawn anew.
        confidence: The share of such intervals that hold the true difference.
    """

    seed: int
    resamples: int
    confidence: float

    def compare(self, figure: Figure, base: Examined, tuned: Examined) -> Comparison | None:
        """One figure of both models on the items that it is about for both; None where there are none."""
        both = [np.array(side.values[figure.name], dtype=np.float64) for side in (base, tuned)]
        rows = np.isfinite(both[0]) & np.isfinite(both[1])
        if not rows.any():
            return None
        pairs = Pairs(figure, both[0][rows], both[1][rows], np.ones(int(rows.sum())))
        return compare(figure.name, pairs, self.seed, self.resamples, self.confidence)


@dataclass
class Checked:
    """A check's part of the report, plain data.

    Args:
        title: A few words, the heading.
        said: The finding as one plain sentence.
        figures: Each figure's words.
        comparisons: Figure to its comparison.
        groups: Group to figure to comparison; empty where items have no groups.
        tables: More tables for a person.
        charts: Pictures.
        advice: What to do next, a sentence each.
        more: More figures by name.
    """

    title: str
    said: str
    figures: dict[str, str] = field(default_factory=dict)
    comparisons: dict[str, Comparison] = field(default_factory=dict)
    groups: dict[str, dict[str, Comparison]] = field(default_factory=dict)
    tables: list[Table] = field(default_factory=list)
    charts: list[Chart] = field(default_factory=list)
    advice: list[str] = field(default_factory=list)
    more: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """As ``result.json`` holds it."""
        found = asdict(self)
        found["comparisons"] = {name: one.model_dump() for name, one in self.comparisons.items()}
        found["groups"] = {
            group: {name: one.model_dump() for name, one in ones.items()} for group, ones in self.groups.items()
        }
        return found


def compared(title: str, figures: Sequence[Figure], base: Examined, tuned: Examined, weighing: Weighing) -> Checked:
    """Every figure of both models, also group by group, and a sentence that says which is clearly better or worse.

    Verdicts are corrected for all figures of the check together, those of the groups for all of them.
    """
    found = Checked(title, "", {figure.name: figure.says for figure in figures})
    found.comparisons = corrected(every(figures, base, tuned, weighing))
    for group in dict.fromkeys(item["group"] for item in base.items if item.get("group")):
        found.groups[group] = every(figures, base.part(group), tuned.part(group), weighing)
    found.groups = corrected_groups(found.groups)
    found.said = sentence(title, found.comparisons, len(base.items))
    return found


def every(figures: Sequence[Figure], base: Examined, tuned: Examined, weighing: Weighing) -> dict[str, Comparison]:
    """The comparison of each figure that is about any item."""
    both = {figure.name: weighing.compare(figure, base, tuned) for figure in figures}
    return {name: comparison for name, comparison in both.items() if comparison is not None}


def sentence(title: str, comparisons: dict[str, Comparison], count: int) -> str:
    """Which figures are clearly better, worse, or neither."""
    words = {"yes": "better", "no": "worse", "unclear": "no clear difference"}
    parts = [
        f"{name} {number(one.base)} to {number(one.tuned)} ({words[one.better]})" for name, one in comparisons.items()
    ]
    return f"{title}, {count} items: " + ("; ".join(parts) or "nothing could be compared") + "."


def number(value: float) -> str:
    """A figure in a sentence."""
    return f"{value:.3g}" if math.isfinite(value) else str(value)
