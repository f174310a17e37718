"""HarmBench: Mazeika et al. 2024, arXiv:2402.04249."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from sevenfold.evaluate.public_sets import PublicSet
from sevenfold.evaluate.safety._items import Item


class HarmBench(PublicSet):
    """CSV with Behavior, FunctionalCategory, SemanticCategory and ContextString."""

    dimension: ClassVar[str] = "jailbreaks"
    files: ClassVar[tuple[str, ...]] = ("harmbench_behaviors_text_all.csv", "harmbench_behaviors_text_test.csv")
    home: ClassVar[str] = "https://github.com/centerforaisafety/HarmBench"
    paper: ClassVar[str] = "Mazeika et al. 2024, arXiv:2402.04249"

    def items(self, rows: Sequence[dict[str, Any]]) -> Iterator[Item]:
        """Its rows as items."""
        for row in rows:
            context = (row.get("ContextString") or "").strip()
            yield Item(f"{context}\n\n{row['Behavior']}" if context else row["Behavior"], category="plain")
