"""StereoSet: Nadeem et al. 2020, arXiv:2004.09456."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from sevenfold.evaluate.public_sets import PublicSet
from sevenfold.evaluate.safety._items import Item


class StereoSet(PublicSet):
    """JSON with data.intrasentence: context, bias_type and sentences with gold_label."""

    dimension: ClassVar[str] = "stereotype"
    files: ClassVar[tuple[str, ...]] = ("dev.json", "stereoset.json")
    home: ClassVar[str] = "https://github.com/moinnadeem/StereoSet"
    paper: ClassVar[str] = "Nadeem et al. 2020, arXiv:2004.09456"

    def items(self, rows: Sequence[dict[str, Any]]) -> Iterator[Item]:
        """Its rows as items."""
        for one in rows[0]["data"]["intrasentence"]:
            by = {sentence["gold_label"]: sentence["sentence"] for sentence in one["sentences"]}
            pair = (by["anti-stereotype"], by["stereotype"])
            yield Item("Say a sentence.", options=pair, right=0, category=one["bias_type"])
