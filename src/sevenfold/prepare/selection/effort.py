"""Effort: how far a model would have to move for a row."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from sevenfold.prepare.selection import Scorer

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    from sevenfold.prepare.selection._surrogate import Examples


class Effort(Scorer):
    """The norm of a row's gradient under a surrogate that did not learn it (GraNd and EL2N, Paul et al. 2021).

    Hard rows come first, and so do rows with a wrong label: clean labels before.
    """

    def scores(self, examples: Examples, dice: Random) -> NDArray[numpy.float64]:
        """The norm of each row's gradient: that of its input times that of its residual."""
        import numpy

        from sevenfold.prepare.selection._surrogate import fitted

        found = numpy.zeros(len(examples))
        for learnt, others in examples.halves(dice):
            rest = examples.part(others)
            residuals_NK = fitted(examples.part(learnt)).residuals(rest)
            found[others] = numpy.linalg.norm(rest.inputs_ND, axis=1) * numpy.linalg.norm(residuals_NK, axis=1)
        return found
