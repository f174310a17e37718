"""Rows that cannot be read: counted, named with their places, and left out, until they are too many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sevenfold.errors import DataError
from sevenfold.prepare.clean import Dropped
from sevenfold.prepare.sources import RawRow, Reading, Unreadable

UNREADABLE = "unreadable"
"""The reason under which they are counted."""
FEWEST = 20
"""Rows of a source from which a share of them means something."""
EARLY = 100
"""Unreadable rows from which a source is given up before its end, so that a wrong encoding is told soon."""
NAMED = 5
"""Places that the warning names; ``dropped.jsonl`` has all."""
MOST_TEXT = 2000
"""Characters of a row that could not be read which are kept."""


class Refusals:
    """What could not be read of one source.

    Args:
        source: The source as the recipe names it.
        share: From which share of its rows the stage stops.
    """

    def __init__(self, source: str, share: float) -> None:
        self.source, self.share = source, share
        self.read, self.refused = 0, 0
        self.first: DataError | None = None
        self.places: list[str] = []
        self.broken_off: list[str] = []

    def found(self, bad: Unreadable) -> None:
        """Count a finding of the source.

        Raises:
            DataError: There are too many.
        """
        if bad.reason == UNREADABLE:
            self.count(bad.error)
        if bad.rest:
            self.broken_off.append(bad.origin)

    def wrong(self, error: DataError) -> None:
        """Count a row that the source gave and the format cannot read.

        Raises:
            DataError: It is the first, so that the recipe does not fit the source; or there are too many.
        """
        if not self.read:
            raise error
        self.count(error)

    def count(self, error: DataError) -> None:
        """Count one.

        Raises:
            DataError: There are too many.
        """
        self.refused += 1
        self.first = self.first or error
        if len(self.places) < NAMED:
            self.places.append(str(error.where))
        if self.refused >= EARLY or self.share == 0:
            self.check()

    def check(self) -> None:
        """Stop where more than the share cannot be read.

        Raises:
            DataError: The first of them, with how many there are.
        """
        rows = self.read + self.refused
        too_many = self.refused > self.share * rows and (rows >= FEWEST or self.share == 0)
        if self.first is None or (self.read and not too_many):
            return
        if self.refused == 1:
            raise self.first
        raise DataError(
            f"{self.first.problem} (the first of {self.refused:,} among {rows:,} rows that cannot be read)",
            where=self.first.where,
            expected=self.first.expected,
            alternatives=self.first.alternatives,
            value=self.first.value,
            next_step=f"{self.first.next_step or 'mend the rows'}; or allow a larger share with prepare.unreadable",
        )

    def finish(self, reading: Reading) -> None:
        """Name the places at the end of the source.

        Raises:
            DataError: There are too many, or there is nothing else.
        """
        if not self.refused:
            return
        self.check()
        first = ", ".join(self.places) + (", ..." if self.refused > NAMED else "")
        reading.warn(
            f"{self.source}: {self.refused:,} of {self.read + self.refused:,} rows cannot be read and are left out: "
            f"{first} (dropped.jsonl says why)"
        )
        if self.broken_off:
            more = ", ..." if len(self.broken_off) > NAMED else ""
            reading.warn(
                f"{self.source}: what stands behind these places is not read: "
                f"{', '.join(self.broken_off[:NAMED])}{more}"
            )


def as_row(bad: Unreadable) -> tuple[RawRow, Dropped]:
    """A finding of a source as a row that goes."""
    return RawRow({"text": bad.text} if bad.text else {}, bad.origin), Dropped(bad.reason, bad.error.problem)


def told(values: dict[str, Any], dropped: Dropped, hidden: Callable[[Any], Any]) -> dict[str, Any]:
    """What is written down of such a row: its problem, and as much of it as the steps leave to be seen.

    What they hide may stand cut in half in the problem, or between the zeros of another encoding, where they cannot
    know it: such a row's problem or text is not written.

    Args:
        values: The columns, or the text alone.
        dropped: Why it goes.
        hidden: Gives content as the steps hide it.
    """
    safe = {name: value for name, value in values.items() if not isinstance(value, str) or "\0" not in value}
    shown = hidden(safe)
    problem = dropped.problem if shown == safe else "what is wrong is not written, since something in it is hidden"
    cut = {name: value[:MOST_TEXT] if isinstance(value, str) else value for name, value in shown.items()}
    return {"problem": problem, "values": cut}
