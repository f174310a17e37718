"""The recipe's section ``evaluate``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sevenfold.evaluate.metrics import METRICS, Metric, default_metrics
from sevenfold.evaluate.passages import fingerprint
from sevenfold.schema import Chosen, Section


class EvaluateSection(Section):
    """Better or not: base and tuned model on the same held-out rows."""

    metrics: list[Annotated[Metric, Chosen(METRICS)]] = Field(
        default_factory=default_metrics, min_length=1, description="What is measured, by name."
    )
    rows: int = Field(64, ge=1, description="Held-out rows to score, drawn with the seed; all when there are fewer.")
    max_new_tokens: int = Field(96, ge=1, description="The longest generated answer, tokens; decoding is greedy.")
    batch: int = Field(8, ge=1, description="Rows generated or scored at once; more is faster and takes more memory.")
    general_text: str = Field(
        "own",
        description="Text of the forgetting check: own (30 short passages, English and Persian, that come along), "
        "none, or a text file with passages between blank lines.",
    )
    resamples: int = Field(10_000, ge=1000, description="Draws of the paired bootstrap behind every interval.")
    confidence: float = Field(0.95, gt=0.5, lt=1, description="The share of such intervals that hold the truth.")

    def outside(self) -> dict[str, str]:
        """The fingerprint of the general text."""
        return fingerprint(self.general_text)
