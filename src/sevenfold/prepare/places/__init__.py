"""Places: where rows are worked on: in this process, in several, on several machines. One file each.

Whatever the place, the results are the same and come in the same order.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Protocol

from sevenfold.registry import Registry
from sevenfold.schema import Component


class Job(Protocol):
    """Work on one piece of the rows at a time; plain data, so that it can be sent to another process."""

    def start(self) -> Callable[[Any], Any]:
        """The function that works on a piece; what it gives depends on the piece alone."""


class Crew(ABC):
    """Who does the work, for as long as the stage runs."""

    @abstractmethod
    def each(self, job: Job, pieces: Iterable[Any]) -> Iterator[Any]:
        """What a job makes of each piece, in their order; only few pieces are in memory at a time.

        Raises:
            SevenfoldError: What the work itself raised, at its place in the order.
            MachineError: A worker ended.
        """


class Place(Component):
    """Where rows are worked on."""

    @abstractmethod
    def crew(self, needed: list[object]) -> AbstractContextManager[Crew]:
        """The crew; nobody is left behind when the block ends, however it ends.

        Args:
            needed: Components whose code the workers need; users' files are loaded there too.
        """


PLACES = Registry(__name__, Place)
