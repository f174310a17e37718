"""Effort: how far a row would move the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from sevenfold.prepare.selection import Way
from sevenfold.prepare.selection._surrogate import cross_fitted

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    from sevenfold.prepare.selection._material import Material


class Effort(Way):
    """The norm of the row's gradient in a ridge regression that did not learn it (GraNd, Paul et al. 2021)."""

    penalty: float = Field(1.0, gt=0, description="The surrogate's penalty on the squared weights.")

    def scores(self, material: Material) -> NDArray[numpy.float64]:
        """The norms."""
        return cross_fitted(material, self.penalty)[1]
