"""Audits: each looks at the prepared rows and says what it finds; none changes a row. One file each."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from sevenfold.registry import Registry
from sevenfold.schema import Component

if TYPE_CHECKING:
    from sevenfold.findings import Findings
    from sevenfold.prepare.dataset import Dataset
    from sevenfold.prepare.work import Work


class Audit(Component):
    """A look at the rows."""

    @abstractmethod
    def examine(self, dataset: Dataset, work: Work) -> Findings:
        """What is found in the rows of all splits.

        Raises:
            DataError: The rows have not what is looked for, a column for example.
            MachineError: A package is not installed.
        """

    def fingerprints(self) -> dict[str, str]:
        """SHA-256 of the files that are read, by their paths; a changed file means a new result."""
        return {}


AUDITS = Registry(__name__, Audit)
DEFAULT = ("languages", "balance", "columns")
"""What is looked at when the recipe names nothing: cheap, and on some of the rows where there are many."""


def default_audits() -> list[Audit]:
    """The default audits with their default settings."""
    return [AUDITS.find(name)() for name in DEFAULT]
