"""Influence and effort together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from sevenfold.prepare.selection import Way
from sevenfold.prepare.selection._surrogate import cross_fitted, standardised

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    from sevenfold.prepare.selection._material import Material


class Deft(Way):
    """Influence plus a share of effort, both standardised (after Lin et al. 2024, arXiv 2401.17197).

    There the effort is the large model's own; here both are the surrogate's.
    """

    effort: float = Field(0.5, ge=0, description="How much effort counts beside influence.")
    penalty: float = Field(1.0, gt=0, description="The surrogate's penalty on the squared weights.")

    def scores(self, material: Material) -> NDArray[numpy.float64]:
        """The sums."""
        influence, effort = cross_fitted(material, self.penalty)
        return standardised(influence) + self.effort * standardised(effort)
