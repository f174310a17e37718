"""Pieces dealt to workers in turn, their results taken in turn, so that the order stays."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

from sevenfold.prepare.places import Crew, Job
from sevenfold.prepare.places.here import Alone
from sevenfold.registry import OF_USERS, file_of
from sevenfold.schema import components

AHEAD = 3
"""Pieces that a worker has at a time: one in work, others waiting, so that it need not wait."""
FEW = 4
"""Up to so many pieces no workers are started: they would take longer to start than to work."""


class Worker(ABC):
    """Somebody who takes pieces and gives their results in the same order."""

    @abstractmethod
    def begin(self, job: Job) -> None:
        """From now on pieces are of this job."""

    @abstractmethod
    def give(self, piece: Any) -> None:
        """Hand a piece over."""

    @abstractmethod
    def take(self) -> Any:
        """Wait for the oldest result.

        Raises:
            SevenfoldError: What the work raised.
            MachineError: The worker has ended.
        """


class Rounds(Crew):
    """Workers that are started when there is enough to do, and then stay."""

    def __init__(self) -> None:
        self.workers: Sequence[Worker] = ()
        self.small = False
        """Whether the first job had few pieces; those that follow are about the same rows."""

    @abstractmethod
    def hire(self) -> Sequence[Worker]:
        """Start the workers."""

    def each(self, job: Job, pieces: Iterable[Any]) -> Iterator[Any]:
        """Deal in turn, take in turn."""
        coming = iter(pieces)
        first = list(islice(coming, FEW + 1))
        if not self.workers and (self.small or len(first) <= FEW):
            self.small = True
            yield from Alone().each(job, chain(first, coming))
            return
        self.workers = self.workers or self.hire()
        for worker in self.workers:
            worker.begin(job)
        asked: deque[Worker] = deque()
        for number, piece in enumerate(chain(first, coming)):
            if len(asked) == AHEAD * len(self.workers):
                yield asked.popleft().take()
            worker = self.workers[number % len(self.workers)]
            worker.give(piece)
            asked.append(worker)
        while asked:
            yield asked.popleft().take()


def own_code(needed: list[object]) -> list[tuple[str, str]]:
    """The users' files behind some components: module and path."""
    found = {
        (type(item).__module__, str(path))
        for one in needed
        for item in components(one)
        if (path := file_of(item)) is not None
    }
    return sorted(found)


def only_here(needed: list[object]) -> list[str]:
    """Classes that no other process could import: defined in a script that runs, or in a notebook."""
    kinds = {type(item) for one in needed for item in components(one)}
    return sorted(kind.__name__ for kind in kinds if kind.__module__ == "__main__" or not importable(kind))


def importable(kind: type) -> bool:
    """Whether another process finds a class by its module's name, or by its user's file."""
    from importlib.util import find_spec

    if kind.__module__.startswith(OF_USERS):
        return "." not in kind.__qualname__
    try:
        return "<locals>" not in kind.__qualname__ and find_spec(kind.__module__) is not None
    except (ImportError, ValueError):
        return False
