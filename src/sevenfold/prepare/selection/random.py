"""Chance: what every other way is measured against."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from sevenfold.prepare.selection import Scorer

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    from sevenfold.prepare.selection._surrogate import Examples


class Chance(Scorer):
    """A figure by chance."""

    def scores(self, examples: Examples, dice: Random) -> NDArray[numpy.float64]:
        """Even figures from 0 to 1."""
        import numpy

        return numpy.array([dice.random() for _ in range(len(examples))])
