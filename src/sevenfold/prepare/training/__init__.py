"""Changes of the training rows alone, once the others are held out: fewer, more, or other rows. One file each."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Generator
from typing import TYPE_CHECKING

from sevenfold.registry import Registry
from sevenfold.schema import Component

if TYPE_CHECKING:
    from sevenfold.findings import Findings
    from sevenfold.prepare.dataset import Row
    from sevenfold.prepare.shelf import Shelf
    from sevenfold.prepare.work import Work


class Change(Component):
    """One change. What is held out never passes through it, so that what is measured later is real."""

    @abstractmethod
    def rows(self, shelf: Shelf, work: Work) -> Generator[Row, None, Findings]:
        """The training rows after the change, one at a time; what the generator returns at its end is what it did.

        A row that stays is given on as it is; one that goes is told to ``work.drop``; one that is made comes
        from ``work.make`` and says what it was made of. The same rows and seed give the same rows again.

        Args:
            shelf: The training rows before it.
            work: The seed, progress, and what is told.

        Raises:
            DataError: The rows have not what the change needs.
            MachineError: A package is not installed, or a model does not answer.
        """

    def fingerprints(self) -> dict[str, str]:
        """SHA-256 of the files that are read, by their paths; a changed file means a new result."""
        return {}


CHANGES = Registry(__name__, Change)
