"""TruthfulQa: Lin et al. 2022, arXiv:2109.07958."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from sevenfold.evaluate.public_sets import PublicSet
from sevenfold.evaluate.safety._items import Item


class TruthfulQa(PublicSet):
    """JSON lines with question and mc1_targets: {choices, labels}, or JSON with mc1_targets: {choice: label}."""

    dimension: ClassVar[str] = "hallucination"
    files: ClassVar[tuple[str, ...]] = ("mc_task.json", "truthfulqa.jsonl")
    home: ClassVar[str] = "https://github.com/sylinrl/TruthfulQA"
    paper: ClassVar[str] = "Lin et al. 2022, arXiv:2109.07958"

    def items(self, rows: Sequence[dict[str, Any]]) -> Iterator[Item]:
        """Its rows as items."""
        for row in rows:
            targets = row["mc1_targets"]
            labels = targets["labels"] if "labels" in targets else list(targets.values())
            choices = targets["choices"] if "choices" in targets else list(targets)
            yield Item(row["question"], options=tuple(choices), right=labels.index(1), category="mc1")
