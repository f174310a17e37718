"""What one model did in benchmarks, and both models' figures side by side."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sevenfold.evaluate.examined import Examined, Figure

SURE = 2.0
"""Standard errors around guessing within which a benchmark says nothing of a model."""
RIGHT = re.compile(r"(^|[ _])(acc|exact|em|right|contains|pass)")
"""Figures whose values are right or wrong, by their names."""
HEAD = (
    "task",
    "metric",
    "base",
    "tuned",
    "guessing",
    "base, corrected",
    "tuned, corrected",
    "documents",
    "examples",
    "version",
)


@dataclass(frozen=True)
class Score:
    """One figure of one task, as lm-eval gives it.

    Args:
        task: lm-eval's name of the task or group.
        metric: The metric, with its filter behind a comma.
        value: The figure over all documents.
        error: Its standard error; not a number where there is none.
        better: Whether higher or lower is better.
        chance: What guessing reaches; None where that is not known.
        documents: How many were asked.
        available: How many there are.
        version: The task's version.
        shots: Examples before each question.
    """

    task: str
    metric: str
    value: float
    error: float
    better: str
    chance: float | None
    documents: int
    available: int
    version: str
    shots: int


@dataclass
class Benchmarked(Examined):
    """What one model did in benchmarks.

    Args:
        scores: Every task's figures.
        directions: Figure of ``values`` to whether higher or lower is better.
        chances: Figure of ``values`` to what guessing reaches, where that is known.
        notes: What a reader should know of how it was asked.
    """

    scores: list[Score] = field(default_factory=list)
    directions: dict[str, str] = field(default_factory=dict)
    chances: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, other: Benchmarked) -> None:
        """Take another benchmark's results behind these."""
        before, after = len(self.items), len(other.items)
        self.items += other.items
        for name in self.values.keys() | other.values.keys():
            own = self.values.get(name, [math.nan] * before)
            self.values[name] = own + other.values.get(name, [math.nan] * after)
        self.scores += other.scores
        self.directions |= other.directions
        self.chances |= other.chances


def as_benchmarked(examined: Examined) -> Benchmarked:
    """What the check itself gave."""
    assert isinstance(examined, Benchmarked)
    return examined


def figures_of(base: Benchmarked, tuned: Benchmarked) -> Iterator[Figure]:
    """The figures that documents are compared by; chance is known where guessing reaches a known share."""
    for name, better in base.directions.items():
        values = {*base.values[name], *tuned.values.get(name, ())}
        known = {value for value in values if not math.isnan(value)}
        share = bool(RIGHT.search(name)) and known <= {0.0, 1.0}
        yield Figure(
            name,
            says_of(name, share),
            "lower" if better == "lower" else "higher",
            unit="share" if share else "",
            binary=share,
            chance=base.chances.get(name),
        )


def says_of(name: str, share: bool) -> str:
    """A figure in words."""
    return f"{name}: share of documents that are right" if share else f"{name}: mean over documents"


def corrected(value: float, chance: float | None) -> float:
    """How far a share is from guessing (0) to all right (1): (score - chance) / (1 - chance)."""
    return math.nan if chance is None else (value - chance) / (1 - chance)


def lines(base: Sequence[Score], tuned: Sequence[Score]) -> Iterator[tuple[str | int | float, ...]]:
    """A line for each figure of each task, as lm-eval shows it: four decimals, the standard error behind it."""
    others = {(score.task, score.metric): score for score in tuned}
    for one in base:
        other = others[one.task, one.metric]
        yield (
            one.task,
            one.metric,
            shown(one),
            shown(other),
            "" if one.chance is None else f"{one.chance:.4f}",
            number(corrected(one.value, one.chance)),
            number(corrected(other.value, one.chance)),
            f"{one.documents} of {one.available}" if one.documents < one.available else str(one.documents or ""),
            one.shots,
            one.version,
        )


def shown(score: Score) -> str:
    """A figure with its standard error."""
    return f"{score.value:.4f}" + ("" if math.isnan(score.error) else f" ± {score.error:.4f}")


def number(value: float) -> str:
    """A figure of a table; nothing where there is none."""
    return "" if math.isnan(value) else f"{value:.4f}"


def at_chance(base: Sequence[Score], tuned: Sequence[Score]) -> Iterator[str]:
    """A sentence for the tasks in which neither model is surely above guessing."""
    others = {(score.task, score.metric): score for score in tuned}
    found = [f"{one.task} ({one.metric})" for one in base if guesses(one) and guesses(others[one.task, one.metric])]
    if found:
        yield (
            f"Both models are no better than guessing in {', '.join(found)}: differences there say nothing; "
            "ask more documents (limit) or easier questions."
        )


def guesses(score: Score) -> bool:
    """Whether a figure is not surely above guessing."""
    if not score.chance or math.isnan(score.error):
        return False
    return score.value - score.chance < SURE * score.error
