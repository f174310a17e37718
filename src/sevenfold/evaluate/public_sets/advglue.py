"""AdvGlue: Wang et al. 2021, arXiv:2111.02840."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from sevenfold.evaluate.public_sets import PublicSet
from sevenfold.evaluate.safety._items import Item


class AdvGlue(PublicSet):
    """JSON with sst2: a list of sentence and label (0 negative, 1 positive)."""

    dimension: ClassVar[str] = "adversarial_robustness"
    files: ClassVar[tuple[str, ...]] = ("dev.json", "advglue.json", "dev_ann.json")
    home: ClassVar[str] = "https://adversarialglue.github.io"
    paper: ClassVar[str] = "Wang et al. 2021, arXiv:2111.02840"

    def items(self, rows: Sequence[dict[str, Any]]) -> Iterator[Item]:
        """Its rows as items."""
        for row in rows[0]["sst2"]:
            asked = f"Is this review good or bad?\n{row['sentence']}\nAnswer:"
            # The published file has the changed form alone.
            yield Item(asked, other=asked, options=("bad", "good"), right=int(row["label"]), category="sst2")
