"""Exact duplicates: rows that say the same, white space and Unicode form aside."""

from __future__ import annotations

from collections.abc import Callable

from sevenfold.prepare.clean import Dropped, Outcome, Step
from sevenfold.prepare.dataset import DESIRABLE, REJECTED, Row
from sevenfold.prepare.keys import content_key, hashed, normalised


class Duplicates(Step):
    """The first of equal rows stays; the pass remembers 16 bytes (about 100 in memory) a row.

    Rows are equal when their conversations are and, where answers are judged, what is said of the answer.
    """

    def start(self) -> Callable[[Row], Outcome]:
        """Remember what was seen."""
        seen: set[int] = set()

        def check(row: Row) -> Outcome:
            key = judged_key(row)
            if key in seen:
                return Dropped("duplicate")
            seen.add(key)
            return row

        return check


def judged_key(row: Row) -> int:
    """128 bits that two rows share only if they say the same, and judge the same answers alike."""
    key = content_key(row.conversation)
    judged = [f"{name}:{normalised(row.fields[name])}" for name in (REJECTED, DESIRABLE) if name in row.fields]
    return hashed((str(key), *judged), size=16) if judged else key
