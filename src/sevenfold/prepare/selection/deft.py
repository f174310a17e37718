"""DEFT: influence and effort together."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from pydantic import Field

from sevenfold.prepare.selection import Scorer
from sevenfold.prepare.selection.effort import Effort
from sevenfold.prepare.selection.influence import Influence

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    from sevenfold.prepare.selection._surrogate import Examples


class Deft(Scorer):
    """Influence plus a share of effort, both in standard deviations (DEALRec, Lin et al. 2024, arXiv 2401.17197).

    Rows are taken evenly from ten groups of like scores, so that easy and common rows stay represented.
    """

    strata = 10
    effort: float = Field(0.3, ge=0, description="How much effort counts beside influence.")

    def scores(self, examples: Examples, dice: Random) -> NDArray[numpy.float64]:
        """The weighted sum."""
        one, other = Influence().scores(examples, dice), Effort().scores(examples, dice)
        return standard(one) + self.effort * standard(other)


def standard(found: NDArray[numpy.float64]) -> NDArray[numpy.float64]:
    """Figures with mean 0 and standard deviation 1; equal ones are 0."""
    spread = float(found.std())
    return (found - found.mean()) / spread if spread > 0 else found * 0.0
