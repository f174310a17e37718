"""Exact duplicates: conversations that say the same, white space and Unicode form aside."""

from __future__ import annotations

from collections.abc import Callable

from sevenfold.prepare.clean import Dropped, Outcome, Step
from sevenfold.prepare.dataset import Row
from sevenfold.prepare.keys import content_key


class Duplicates(Step):
    """The first of equal conversations stays; the pass remembers 16 bytes (about 100 in memory) a row."""

    def start(self) -> Callable[[Row], Outcome]:
        """Remember what was seen."""
        seen: set[int] = set()

        def check(row: Row) -> Outcome:
            key = content_key(row.conversation)
            if key in seen:
                return Dropped("duplicate")
            seen.add(key)
            return row

        return check
