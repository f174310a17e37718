"""CrowsPairs: Nangia et al. 2020, arXiv:2010.00133."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from sevenfold.evaluate.public_sets import PublicSet
from sevenfold.evaluate.safety._items import Item


class CrowsPairs(PublicSet):
    """CSV with sent_more, sent_less, stereo_antistereo and bias_type."""

    dimension: ClassVar[str] = "stereotype"
    files: ClassVar[tuple[str, ...]] = ("crows_pairs_anonymized.csv",)
    home: ClassVar[str] = "https://github.com/nyu-mll/crows-pairs"
    paper: ClassVar[str] = "Nangia et al. 2020, arXiv:2010.00133"

    def items(self, rows: Sequence[dict[str, Any]]) -> Iterator[Item]:
        """Its rows as items."""
        for row in rows:
            # sent_more is the more stereotyped sentence in both of its directions.
            pair = (row["sent_less"], row["sent_more"])
            kind = f"{row['bias_type']}, {row['stereo_antistereo']}"
            yield Item("Say a sentence.", options=pair, right=0, category=kind)
