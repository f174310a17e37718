"""Diversity: rows that are far from each other."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from sevenfold.prepare.selection import Scorer

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    from sevenfold.prepare.selection._surrogate import Examples


class Diverse(Scorer):
    """K-centre greedy (Gonzalez 1985; Sener and Savarese 2018): each time the row that is farthest from those chosen.

    Takes time in the square of the rows: for some ten thousand of them.
    """

    def scores(self, examples: Examples, dice: Random) -> NDArray[numpy.float64]:
        """Minus the place at which a row is chosen."""
        import numpy

        points_ND = examples.inputs_ND
        found = numpy.zeros(len(points_ND))
        nearest_N = numpy.full(len(points_ND), numpy.inf)
        row = dice.randrange(len(points_ND))
        for place in range(len(points_ND)):
            found[row] = -place
            nearest_N = numpy.minimum(nearest_N, ((points_ND - points_ND[row]) ** 2).sum(axis=1))
            nearest_N[row] = -1.0
            row = int(nearest_N.argmax())
        return found
