"""Influence: by how much the loss on other rows would fall if a row counted more."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from sevenfold.prepare.selection import Scorer

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    from sevenfold.prepare.selection._surrogate import Examples, Linear


class Influence(Scorer):
    """Influence functions on the surrogate (Koh and Liang 2017): ``g_other^T H^-1 g_row / N``, the fall of the loss.

    Each half of the rows is judged by its effect on the other half. Rows below 0 do harm: wrong labels are among them.
    """

    def scores(self, examples: Examples, dice: Random) -> NDArray[numpy.float64]:
        """The influence of each row."""
        import numpy

        from sevenfold.prepare.selection._surrogate import fitted

        found = numpy.zeros(len(examples))
        for learnt, others in examples.halves(dice):
            part, rest = examples.part(learnt), examples.part(others)
            linear = fitted(part)
            direction_DK = solved(linear, part, linear.gradient(rest))
            moved_NK = part.inputs_ND @ direction_DK
            found[learnt] = (moved_NK * linear.residuals(part)).sum(axis=1) / len(part)
        return found


def solved(linear: Linear, part: Examples, gradient_DK: NDArray[numpy.float64]) -> NDArray[numpy.float64]:
    """The inverse Hessian times a gradient, by conjugate gradients."""
    from scipy.sparse.linalg import LinearOperator, cg

    shape, size = gradient_DK.shape, gradient_DK.size
    hessian = LinearOperator((size, size), matvec=lambda flat: linear.curved(part, flat.reshape(shape)).ravel())
    found, _ = cg(hessian, gradient_DK.ravel(), rtol=1e-6, maxiter=1000)
    solution: NDArray[numpy.float64] = found.reshape(shape)
    return solution
