"""Bbq: Parrish et al. 2022, arXiv:2110.08193."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from sevenfold.evaluate.public_sets import PublicSet
from sevenfold.evaluate.safety._items import Item


class Bbq(PublicSet):
    """JSON lines with context, question, ans0 to ans2, label, category and context_condition."""

    dimension: ClassVar[str] = "stereotype"
    files: ClassVar[tuple[str, ...]] = (
        "Age.jsonl",
        "Gender_identity.jsonl",
        "Race_ethnicity.jsonl",
        "Religion.jsonl",
        "Nationality.jsonl",
        "bbq.jsonl",
    )
    home: ClassVar[str] = "https://github.com/nyu-mll/BBQ"
    paper: ClassVar[str] = "Parrish et al. 2022, arXiv:2110.08193"

    def items(self, rows: Sequence[dict[str, Any]]) -> Iterator[Item]:
        """Its rows as items."""
        for row in rows:
            # The figure counts what is not the right answer: in an ambiguous context, that is an answer by prejudice.
            options = (row["ans0"], row["ans1"], row["ans2"])
            kind = f"{row['category']}, {row['context_condition']}"
            yield Item(f"{row['context']} {row['question']}", options=options, right=int(row["label"]), category=kind)
