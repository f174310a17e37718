"""AdvBench: Zou et al. 2023, arXiv:2307.15043."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from sevenfold.evaluate.public_sets import PublicSet
from sevenfold.evaluate.safety._items import Item


class AdvBench(PublicSet):
    """CSV with goal and target."""

    dimension: ClassVar[str] = "jailbreaks"
    files: ClassVar[tuple[str, ...]] = ("harmful_behaviors.csv",)
    home: ClassVar[str] = "https://github.com/llm-attacks/llm-attacks"
    paper: ClassVar[str] = "Zou et al. 2023, arXiv:2307.15043"

    def items(self, rows: Sequence[dict[str, Any]]) -> Iterator[Item]:
        """Its rows as items."""
        for row in rows:
            yield Item(row["goal"], category="plain")
