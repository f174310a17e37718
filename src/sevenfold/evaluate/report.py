"""A report: is the tuned model better, how sure is that, what was forgotten, what does the curve say."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from sevenfold.evaluate.curve import Curve
from sevenfold.evaluate.forgetting import Forgetting
from sevenfold.evaluate.gaps import Gap
from sevenfold.evaluate.labels import Spread
from sevenfold.evaluate.paired import Comparison
from sevenfold.record import Result

ROWS_FILE = "rows.jsonl"
CHECKS_FOLDER = "checks"
Overall = Literal["yes", "no", "mixed", "unclear"]


class Answers(BaseModel):
    """What one model's generated answers look like as a whole."""

    rows: int
    cut: int
    """Answers that reached the limit of new tokens before a stop token."""
    empty: int
    mean_tokens: float


class Other(BaseModel):
    """Another model beside base and tuned."""

    source: str
    rows: int
    """Rows that it and ours were both asked."""
    left_out: dict[str, int]
    """Reason to the number of our rows that it cannot be asked."""
    not_compared: dict[str, str] = Field(default_factory=dict)
    """Metric to the reason why it is not compared."""
    against_base: dict[str, Comparison]
    """In each comparison ``base`` is our base and ``tuned`` is this model: is it better than the base?"""
    against_tuned: dict[str, Comparison]
    """In each ``base`` is this model and ``tuned`` is ours: is our tuned model better than it?"""


class Report(Result):
    """What evaluation gives; ``rows.jsonl`` beside it has one line a row with all that the figures are made of."""

    better: Overall
    """Yes: a metric is better and none is worse; no: the other way round; mixed: some of both; unclear: neither."""
    summary: str
    split: str
    rows: int
    available: int
    """Rows that the split has."""
    left_out: dict[str, int]
    """Reason to the number of chosen rows that could not be scored."""
    metrics: dict[str, Comparison]
    grouped_by: str = ""
    """What ``groups`` are: ``task``, or the column that the recipe names."""
    groups: dict[str, dict[str, Comparison]] = Field(default_factory=dict)
    """Group to every metric over its rows alone; empty where rows are all alike."""
    gaps: dict[str, Gap] = Field(default_factory=dict)
    """Metric to how far apart the groups are; empty where fewer than two groups have rows enough."""
    answers: dict[str, Answers]
    """``base`` and ``tuned``; empty when no metric needs answers."""
    labels: dict[str, Spread] = Field(default_factory=dict)
    """``base`` and ``tuned``: which labels were said for which; empty where none are measured."""
    forgetting: Forgetting | None
    curve: Curve
    others: dict[str, Other] = Field(default_factory=dict)
    """Other models on the same rows, by the recipe's names."""
    checks: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Check to what it found (:class:`sevenfold.evaluate.examined.Checked`); ``checks/NAME.jsonl`` has every item."""


def overall(comparisons: dict[str, Comparison]) -> Overall:
    """One word for all metrics."""
    words = {comparison.better for comparison in comparisons.values()}
    if {"yes", "no"} <= words:
        return "mixed"
    if "yes" in words:
        return "yes"
    return "no" if "no" in words else "unclear"


def summarise(comparisons: dict[str, Comparison], word: Overall, lost: Forgetting | None = None) -> str:
    """The overall verdict as a sentence with its metrics, how many were asked at once, and what was forgotten.

    Args:
        comparisons: Metric to comparison.
        word: The overall verdict.
        lost: The comparison on general text; a run that is better at the task and lost much is called that.
    """
    lists = {
        answer: ", ".join(name for name, one in comparisons.items() if said_of(one) == answer)
        for answer in ("better", "worse", "no different", "not clear")
    }
    rows = next(iter(comparisons.values())).rows
    opening = {
        "yes": "The tuned model is better than its base",
        "no": "The tuned model is worse than its base",
        "mixed": "The tuned model is better in some ways and worse in others",
        "unclear": "No clear difference between the tuned model and its base",
    }[word]
    if all(one.same for one in comparisons.values()):
        opening = "The tuned model is no different from its base"
    parts = [f"{answer}: {names}" for answer, names in lists.items() if names]
    many = max(one.corrected_for for one in comparisons.values())
    asked = f"; corrected for {many} questions" if many > 1 else ""
    return f"{opening} on {rows} held-out rows ({'; '.join(parts)}{asked}){forgot(word, lost)}."


def said_of(one: Comparison) -> str:
    """A comparison in a word or two."""
    if one.better == "unclear":
        return "no different" if one.same else "not clear"
    return "better" if one.better == "yes" else "worse"


def forgot(word: Overall, lost: Forgetting | None) -> str:
    """What general text lost, as the sentence's end; nothing where it is kept."""
    if lost is None or lost.verdict == "kept":
        return ""
    amount = "much" if lost.verdict == "much lost" else "some"
    sure = "" if lost.sure else ", perhaps more or less"
    joined = "but lost" if word == "yes" else "and lost"
    return (
        f", {joined} {amount} of what it knew: {lost.comparison.difference:+.2f} nats per token of general text{sure}"
    )
