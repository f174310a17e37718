"""JailbreakBench: Chao et al. 2024, arXiv:2404.01318."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

from sevenfold.evaluate.public_sets import PublicSet, table
from sevenfold.evaluate.safety._items import Item


class JailbreakBench(PublicSet):
    """CSV with Goal, Target, Behavior and Category; the benign file has the same columns."""

    dimension: ClassVar[str] = "jailbreaks"
    files: ClassVar[tuple[str, ...]] = ("harmful-behaviors.csv", "benign-behaviors.csv")
    home: ClassVar[str] = "https://huggingface.co/datasets/JailbreakBench/JBB-Behaviors"
    paper: ClassVar[str] = "Chao et al. 2024, arXiv:2404.01318"

    def rows(self, path: Path) -> list[dict[str, Any]]:
        """The name of the file alone says which rows are harmless; where both files are there, both are read."""
        found: list[dict[str, Any]] = []
        for name in self.files:
            if (path.parent / name).is_file():
                found += [row | {"benign": name.startswith("benign")} for row in table(path.parent / name)]
        return found

    def items(self, rows: Sequence[dict[str, Any]]) -> Iterator[Item]:
        """Its rows as items."""
        for row in rows:
            yield Item(row["Goal"], category="harmless" if row.get("benign") else "plain")
