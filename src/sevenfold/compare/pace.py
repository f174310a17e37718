"""How long it will still take: what is planned and not behind, at the pace of what is behind."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

from sevenfold.console import Task

Job = tuple[str, str]
"""A variant's name, and a trial's or nothing for the variant's own run."""
UNPLANNED = 15.0
"""Seconds of a job that has no plan."""


class Pace:
    """Planned jobs with their seconds; one that is done, or will not be run, is taken off.

    Args:
        planned: Each job's seconds, as they were planned.
        bar: The progress; its units are planned seconds.
    """

    def __init__(self, planned: Mapping[Job, float], bar: Task) -> None:
        self.planned, self.bar = dict(planned), bar
        self.behind = self.spent = 0.0

    @property
    def left(self) -> float:
        """Seconds that are left."""
        pace = self.spent / self.behind if self.behind else 1.0
        return pace * sum(self.planned.values())

    @contextmanager
    def job(self, job: Job) -> Iterator[Callable[[float, str], None]]:
        """A job while it runs; gives a function that takes the share that is done, and a note."""
        planned, started, shown = self.planned.pop(job, UNPLANNED), time.monotonic(), 0

        def move(share: float, note: str) -> None:
            nonlocal shown
            moved = max(0, round(share * planned) - shown)
            shown += moved
            self.bar.advance(moved, note)

        try:
            yield move
        finally:
            move(1.0, "")
            self.behind, self.spent = self.behind + planned, self.spent + time.monotonic() - started

    def skip(self, jobs: Iterable[Job]) -> None:
        """Take off jobs that will not be run."""
        for job in jobs:
            self.bar.advance(round(self.planned.pop(job, 0.0)))
