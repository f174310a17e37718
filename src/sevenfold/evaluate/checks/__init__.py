"""Checks: what every model is asked beside the held-out rows; one file each, the file's name is its name in the recipe.

A check says what it asks and what figures come of the answers. Base and tuned model are asked the same while each is in
memory, and are compared item by item as metrics are row by row.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from sevenfold.evaluate.examined import Checked, Examined, Figure, Weighing, compared
from sevenfold.registry import Registry
from sevenfold.schema import Component

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sevenfold.evaluate.subject import Subject


class Check(Component):
    """Something that is asked of a model.

    Attributes:
        title: The heading in the report.
    """

    title: ClassVar[str]

    @abstractmethod
    def figures(self) -> Sequence[Figure]:
        """What comes of it."""

    @abstractmethod
    def examine(self, subject: Subject) -> Examined:
        """Ask one model, which is in memory for as long as this runs.

        Raises:
            DataError: What is asked cannot be read.
            MachineError: A package is not installed.
            ModelError: The model cannot be asked this.
        """

    def findings(self, base: Examined, tuned: Examined, weighing: Weighing) -> Checked:
        """What the two models' answers say; figures compared item by item, and advice where there is any."""
        return compared(self.title, self.figures(), base, tuned, weighing)

    def fingerprints(self) -> dict[str, str]:
        """SHA-256 of the files that are read, by their paths; a changed file means a new result."""
        return {}


CHECKS = Registry(__name__, Check)


def check_name(check: Check) -> str:
    """The check's name in figures: its file's name."""
    return CHECKS.name_of(check)
