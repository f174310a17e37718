"""Exact duplicates: rows that say the same, white space and Unicode form aside."""

from __future__ import annotations

from typing import ClassVar

from sevenfold.prepare.clean import Keyed
from sevenfold.prepare.dataset import DESIRABLE, REJECTED, Row
from sevenfold.prepare.keys import content_key, hashed, normalised


class Duplicates(Keyed):
    """The first of equal rows stays; the pass remembers 16 bytes a row (21 to 43 in memory).

    Rows are equal when their conversations are and, where answers are judged, what is said of the answer.
    """

    reason: ClassVar[str] = "duplicate"

    def key(self, row: Row) -> int:
        """What the row says, and how its answers are judged."""
        return judged_key(row)


def judged_key(row: Row) -> int:
    """128 bits that two rows share only if they say the same, and judge the same answers alike."""
    key = content_key(row.conversation)
    judged = [f"{name}:{normalised(row.fields[name])}" for name in (REJECTED, DESIRABLE) if name in row.fields]
    return hashed((str(key), *judged), size=16) if judged else key
