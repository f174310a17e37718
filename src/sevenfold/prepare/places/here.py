"""In this process, one piece after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from sevenfold.prepare.places import Crew, Job, Place


class Here(Place):
    """One process does all the work."""

    def crew(self, needed: list[object]) -> AbstractContextManager[Crew]:
        """This process."""
        return nullcontext(Alone())


class Alone(Crew):
    """The process that asks."""

    def each(self, job: Job, pieces: Iterable[Any]) -> Iterator[Any]:
        """One after the other."""
        return map(job.start(), pieces)
