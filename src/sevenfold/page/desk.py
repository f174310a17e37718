"""What a page asks and is told: rows, progress, pace; without a word of HTTP."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any, ClassVar, Generic

from sevenfold.errors import DataError
from sevenfold.page.answers import A, Log

RECENT = 20
"""Answers whose median time is the pace, so that a break does not slow it."""
NOTE = 4000
"""Characters of a note at most."""


class Desk(ABC, Generic[A]):
    """One annotator at work.

    Args:
        origins: The rows that are asked, in their order.
        answers: Where the answers go; others may append to the same file.
        annotator: Who answers.
        for_all: Which rows everyone is asked; of the others a row that somebody has answered is not asked again.
    """

    page: ClassVar[Path]
    """The folder with ``page.html``, ``page.js`` and ``page.css``."""
    done_word: ClassVar[str]
    """What a row is called that was dealt with and not passed over: ``labelled``."""

    def __init__(self, origins: Sequence[str], answers: Log[A], annotator: str, for_all: Sequence[bool]) -> None:
        self.origins, self.answers, self.annotator, self.for_all = origins, answers, annotator, for_all

    @abstractmethod
    def task(self) -> dict[str, Any]:
        """What the page needs once."""

    @abstractmethod
    def row(self, place: int) -> dict[str, Any]:
        """One row, with what holds of this annotator.

        Raises:
            DataError: There is no such row.
        """

    @abstractmethod
    def answer(self, sent: dict[str, Any]) -> dict[str, Any]:
        """Keep an answer; gives the row to ask next.

        Raises:
            DataError: The row or the answer is none.
        """

    @abstractmethod
    def passed(self, answer: A) -> bool:
        """Whether an answer says that the row was passed over."""

    @abstractmethod
    def place_of(self, origin: str) -> int | None:
        """Where a row stands; None: nowhere."""

    def checked(self, place: int) -> int:
        """A place that there is.

        Raises:
            DataError: There is no such row.
        """
        if not 0 <= place < len(self.origins):
            raise DataError(f"there is no row {place}", expected=f"0 to {len(self.origins) - 1}")
        return place

    def known(self, origin: object) -> str:
        """A row that is asked.

        Raises:
            DataError: It is not.
        """
        if not isinstance(origin, str) or self.place_of(origin) is None:
            raise DataError(f"the row {origin!r} is not in the queue")
        return origin

    def undo(self) -> dict[str, Any]:
        """Take the last answer back; gives its row, None when there was nothing to undo."""
        origin = self.answers.undo(self.annotator)
        return {**self.after(-1), "undone": self.place_of(origin) if origin is not None else None}

    def after(self, place: int) -> dict[str, Any]:
        """The next row to ask behind a place (from the start again at the end), and how far the work is."""
        self.answers.refresh()
        mine = [self.is_mine(number) for number in range(len(self.origins))]
        waiting = [number for number, own in enumerate(mine) if own and self.is_open(number)]
        behind = next((number for number in waiting if number > place), waiting[0] if waiting else None)
        held = [self.answers.of(origin, self.annotator) for origin in self.origins]
        done = [answer for answer in held if answer is not None]
        skipped = sum(map(self.passed, done))
        progress = {
            self.done_word: len(done) - skipped,
            "skipped": skipped,
            "left": len(waiting),
            "elsewhere": mine.count(False),
            "seconds_a_row": self.pace(done),
        }
        return {"next": behind, "progress": progress}

    def is_mine(self, place: int) -> bool:
        """Whether a row is asked of this annotator: nobody else has it, or it is asked of everyone."""
        held = self.answers.held.get(self.origins[place], {})
        return self.for_all[place] or not held or self.annotator in held

    def is_open(self, place: int) -> bool:
        """Whether this annotator has not dealt with a row."""
        return self.answers.of(self.origins[place], self.annotator) is None

    def pace(self, done: list[A]) -> float | None:
        """Seconds a row: the median of the last answers that took time; None before the first."""
        timed = sorted((answer for answer in done if answer.seconds > 0), key=lambda answer: answer.at)[-RECENT:]
        return round(median(answer.seconds for answer in timed), 1) if timed else None
