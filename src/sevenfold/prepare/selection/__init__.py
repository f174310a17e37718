"""Scorers: how much each training row is worth, by a small surrogate in place of the model. One file each."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from sevenfold.registry import Registry
from sevenfold.schema import Component

if TYPE_CHECKING:
    from random import Random

    import numpy
    from numpy.typing import NDArray

    from sevenfold.prepare.selection._surrogate import Examples


class Scorer(Component):
    """A way to say what rows are worth."""

    strata: ClassVar[int] = 1
    """From how many groups of like scores rows are taken evenly; 1: the best alone."""

    @abstractmethod
    def scores(self, examples: Examples, dice: Random) -> NDArray[numpy.float64]:
        """A figure for each row, the more the better.

        Args:
            examples: The rows as vectors.
            dice: The only source of chance.
        """


SCORERS = Registry(__name__, Scorer)
