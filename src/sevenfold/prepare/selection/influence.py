"""Influence: what the removal of a row does to rows that are not learnt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from sevenfold.prepare.selection import Way
from sevenfold.prepare.selection._surrogate import cross_fitted

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    from sevenfold.prepare.selection._material import Material


class Influence(Way):
    """How much the loss on other rows rises when the row is removed (Koh & Liang 2017), exact for a ridge regression.

    Below 0 a row does harm: the surrogate is better without it.
    """

    penalty: float = Field(1.0, gt=0, description="The surrogate's penalty on the squared weights.")

    def scores(self, material: Material) -> NDArray[numpy.float64]:
        """The rise of the mean loss."""
        return cross_fitted(material, self.penalty)[0]
