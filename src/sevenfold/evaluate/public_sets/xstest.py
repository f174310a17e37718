"""XsTest: Röttger et al. 2024, arXiv:2308.01263."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from sevenfold.evaluate.public_sets import PublicSet
from sevenfold.evaluate.safety._items import Item


class XsTest(PublicSet):
    """CSV with prompt, type and label (safe or unsafe); older files mark unsafe types with contrast_."""

    dimension: ClassVar[str] = "jailbreaks"
    files: ClassVar[tuple[str, ...]] = ("xstest_prompts.csv", "xstest_v2_prompts.csv")
    home: ClassVar[str] = "https://github.com/paul-rottger/xstest"
    paper: ClassVar[str] = "Röttger et al. 2024, arXiv:2308.01263"

    def items(self, rows: Sequence[dict[str, Any]]) -> Iterator[Item]:
        """Its rows as items."""
        for row in rows:
            unsafe = row["label"] == "unsafe" if row.get("label") else row["type"].startswith("contrast_")
            yield Item(row["prompt"], category="plain" if unsafe else "harmless")
