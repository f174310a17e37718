"""The recipe's section ``evaluate``."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Self

from pydantic import Field, model_validator

from sevenfold.evaluate.checks import CHECKS, Check, check_name
from sevenfold.evaluate.metrics import METRICS, Metric, default_metrics, metric_name
from sevenfold.evaluate.passages import fingerprint
from sevenfold.schema import Chosen, Section


class EvaluateSection(Section):
    """Better or not: base and tuned model on the same held-out rows."""

    metrics: list[Annotated[Metric, Chosen(METRICS)]] = Field(
        default_factory=default_metrics,
        min_length=1,
        description="What is measured, by name; not given: the objective's own, of text loss to exact_match.",
    )
    checks: list[Annotated[Check, Chosen(CHECKS)]] = Field(
        default_factory=list, description="What both models are asked beside the held-out rows, by name."
    )
    rows: int = Field(64, ge=1, description="Held-out rows to score, drawn with the seed; all when there are fewer.")
    max_new_tokens: int = Field(96, ge=1, description="The longest generated answer, tokens; decoding is greedy.")
    by: str | None = Field(
        None,
        description="A column: each metric is also compared over the rows of each of its values. Not given: the tasks, "
        "where several have an adapter of their own.",
    )
    batch: int = Field(
        8,
        ge=1,
        description="Rows of a padded batch, where the network needs one; 16 times as many are asked and kept at once.",
    )
    general_text: str = Field(
        "own",
        description="Text of the forgetting check: own (30 short passages, English and Persian, that come along), "
        "none, or a text file with passages between blank lines.",
    )
    resamples: int = Field(10_000, ge=1000, description="Draws of the paired bootstrap behind every interval.")
    confidence: float = Field(0.95, gt=0.5, lt=1, description="The share of such intervals that hold the truth.")

    @model_validator(mode="after")
    def each_once(self) -> Self:
        """Refuse a metric or a check that stands twice: its figures would have one name."""
        named = {"metric": list(map(metric_name, self.metrics)), "check": list(map(check_name, self.checks))}
        for kind, names in named.items():
            twice = [name for name, count in Counter(names).items() if count > 1]
            if twice:
                raise ValueError(f"the {kind} {twice[0]} stands twice in evaluate.{kind}s")
        return self

    def outside(self) -> dict[str, str]:
        """The fingerprints of the general text and of what the checks read."""
        found = fingerprint(self.general_text)
        for check in self.checks:
            found |= check.fingerprints()
        return found
