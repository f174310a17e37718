"""Diverse: rows far from each other first."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sevenfold.prepare.selection import Way

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    from sevenfold.prepare.selection._material import Material


class Diverse(Way):
    """k-centre greedy (Sener & Savarese 2018): each next row is the one farthest from all before it.

    Prompts alone are looked at. The work grows with the square of the rows.
    """

    spread: ClassVar[bool] = False

    def scores(self, material: Material) -> NDArray[numpy.float64]:
        """The row nearest the middle has the highest score, then each row by its turn."""
        import numpy

        points = material.inputs[:, :-1]
        scores = numpy.zeros(len(points))
        row = int((points**2).sum(axis=1).argmin())
        distance = numpy.full(len(points), numpy.inf)
        for turn in range(len(points)):
            scores[row] = len(points) - turn
            distance = numpy.minimum(distance, ((points - points[row]) ** 2).sum(axis=1))
            distance[row] = -1.0
            row = int(distance.argmax())
        return scores
