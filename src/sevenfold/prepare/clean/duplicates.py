"""Exact duplicates: rows that say the same, white space and Unicode form aside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from sevenfold.folding import normalised
from sevenfold.prepare.clean import Keyed
from sevenfold.prepare.dataset import DESIRABLE, REJECTED, Row
from sevenfold.prepare.keys import content_key, hashed


class Duplicates(Keyed):
    """The first of equal rows stays; the pass remembers 16 bytes a row (21 to 43 in memory).

    Rows are equal when their conversations are and, where answers are judged, what is said of the answer.
    """

    reason: ClassVar[str] = "duplicate"

    def key(self, row: Row) -> int:
        """What the row says, and how its answers are judged."""
        return judged_key(row)

    def keys(self, rows: Sequence[Row], contents: Sequence[int]) -> list[int]:
        """The same of some rows."""
        return [judged(content, row.fields) for row, content in zip(rows, contents, strict=True)]


def judged_key(row: Row) -> int:
    """128 bits that two rows share only if they say the same, and judge the same answers alike."""
    return judged(content_key(row.conversation), row.fields)


def judged(content: int, fields: dict[str, str]) -> int:
    """The same from the key of the row's conversation."""
    said = [f"{name}:{normalised(fields[name])}" for name in (REJECTED, DESIRABLE) if name in fields]
    return hashed((str(content), *said), size=16) if said else content
