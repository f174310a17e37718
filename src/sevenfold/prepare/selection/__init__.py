"""Ways to score training rows, so that some can be chosen. One file each."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from sevenfold.registry import Registry
from sevenfold.schema import Component

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    from sevenfold.prepare.selection._material import Material


class Way(Component):
    """A way to score."""

    spread: ClassVar[bool] = True
    """Whether rows are chosen from all heights of the score; if not, the highest are."""

    @abstractmethod
    def scores(self, material: Material) -> NDArray[numpy.float64]:
        """A figure a row; of two rows the one with the higher figure is worth more, or is harder.

        Raises:
            DataError: The rows have not what is asked for.
            MachineError: A package is not installed.
        """

    def fingerprints(self) -> dict[str, str]:
        """SHA-256 of the files that are read, by their paths."""
        return {}


WAYS = Registry(__name__, Way)
