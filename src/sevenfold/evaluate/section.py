"""The recipe's section ``evaluate``."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, field_validator, model_validator

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
    others: dict[str, str] = Field(
        default_factory=dict,
        description="Other models that are asked the same rows and compared with base and tuned: name to the folder of "
        "a run, a model's folder, a catalogue or hub name. A list names them by their last part.",
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

    @field_validator("others", mode="before")
    @classmethod
    def named(cls, given: Any) -> Any:
        """A list of others as names: the last part of each."""
        if not isinstance(given, list):
            return given
        names = [re.sub(r"[^A-Za-z0-9._-]", "-", Path(str(one)).name) for one in given]
        if twice := [name for name, count in Counter(names).items() if count > 1]:
            raise ValueError(f"two others would be called {twice[0]}; name them: {{first: {given[0]}, ...}}")
        return dict(zip(names, given, strict=True))

    @field_validator("others")
    @classmethod
    def nameable(cls, given: dict[str, str]) -> dict[str, str]:
        """Refuse names that cannot be a file's, or that are taken."""
        for name in given:
            if name in ("base", "tuned") or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
                raise ValueError(f"another model cannot be called {name!r}; letters, digits, dots and dashes, not base")
        return given

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
        """The fingerprints of the general text, of the other models and of what the checks read."""
        from sevenfold.evaluate.others import fingerprints

        found = fingerprint(self.general_text) | fingerprints(self.others)
        for check in self.checks:
            found |= check.fingerprints()
        return found
