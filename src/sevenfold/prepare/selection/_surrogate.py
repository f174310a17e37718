"""A small model in place of the large one: ridge regression from prompts' vectors, solved in closed form.

Replies that are labels are learnt as a column of zeros and ones each (least-squares classification), other replies as
their vectors. The loss is half the squared error, so that the gradient, the Hessian and what the removal of a row does
are exact and cheap: one matrix of the vectors' width is inverted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sevenfold.errors import DataError

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    from sevenfold.prepare.selection._material import Material

FOLDS = 5
"""Each row is judged by models that did not see it."""


@dataclass
class Ridge:
    """The solution of ``sum |y - W'x|^2 / 2 + penalty |W|^2 / 2``.

    Args:
        weights: ``W``.
        inverse: The inverse of the Hessian, ``X'X + penalty``.
    """

    weights: NDArray[numpy.float64]
    inverse: NDArray[numpy.float64]

    @classmethod
    def fitted(cls, inputs: NDArray[numpy.float64], targets: NDArray[numpy.float64], penalty: float) -> Ridge:
        """The solution for some rows."""
        import numpy

        hessian = inputs.T @ inputs + penalty * numpy.eye(inputs.shape[1])
        inverse = numpy.asarray(numpy.linalg.inv(hessian), dtype=numpy.float64)
        return cls(inverse @ inputs.T @ targets, inverse)

    def errors(self, inputs: NDArray[numpy.float64], targets: NDArray[numpy.float64]) -> NDArray[numpy.float64]:
        """What is left of the targets."""
        import numpy

        return numpy.asarray(targets - inputs @ self.weights)


def removal(
    ridge: Ridge,
    learnt: tuple[NDArray[numpy.float64], NDArray[numpy.float64]],
    judges: tuple[NDArray[numpy.float64], NDArray[numpy.float64]],
) -> NDArray[numpy.float64]:
    """By how much the judges' mean loss rises when a learnt row is removed and the surrogate is solved again.

    Koh & Liang (2017) take the first step of it; for ridge regression the solution without a row is known exactly:
    ``W - u e' / (1 - x'u)`` with ``u`` the inverse Hessian times ``x`` and ``e`` the row's error.

    Args:
        ridge: Solved for the learnt rows.
        learnt: Their inputs and targets.
        judges: Inputs and targets of the rows whose loss counts.
    """
    import numpy

    inputs, errors = learnt[0], ridge.errors(*learnt)
    moved = inputs @ ridge.inverse
    scale = 1 / numpy.maximum(1 - (inputs * moved).sum(axis=1), 1e-12)
    pull = judges[0].T @ ridge.errors(*judges)
    first = ((moved @ pull) * errors).sum(axis=1) * scale
    spread = ((moved @ (judges[0].T @ judges[0])) * moved).sum(axis=1)
    second = scale**2 * (errors**2).sum(axis=1) * spread / 2
    return numpy.asarray((first + second) / len(judges[0]))


def cross_fitted(material: Material, penalty: float) -> tuple[NDArray[numpy.float64], NDArray[numpy.float64]]:
    """Influence and effort of each row, each by surrogates that are judged on rows they did not learn.

    Influence is the mean of :func:`removal` over the parts that a row is not in; effort is the norm of the gradient
    that a row would have in a surrogate that did not learn it (GraNd and EL2N, Paul et al. 2021).

    Raises:
        DataError: There are too few rows.
    """
    import numpy

    if len(material) < 2 * FOLDS:
        raise DataError(
            f"{len(material)} training rows are too few to be scored by a surrogate",
            where="prepare.training.select",
            expected=f"at least {2 * FOLDS}",
            next_step="take all rows, or by: random",
        )
    inputs, targets, parts = material.inputs, material.targets, material.folds(FOLDS)
    influence, effort = numpy.zeros(len(inputs)), numpy.zeros(len(inputs))
    for part in range(FOLDS):
        judge, learn = parts == part, parts != part
        ridge = Ridge.fitted(inputs[learn], targets[learn], penalty)
        left = ridge.errors(inputs[judge], targets[judge])
        effort[judge] = numpy.linalg.norm(left, axis=1) * numpy.linalg.norm(inputs[judge], axis=1)
        found = removal(ridge, (inputs[learn], targets[learn]), (inputs[judge], targets[judge]))
        influence[learn] += found / (FOLDS - 1)
    return influence, effort


def standardised(figures: NDArray[numpy.float64]) -> NDArray[numpy.float64]:
    """Figures with mean 0 and deviation 1; all alike stay 0."""
    import numpy

    return numpy.asarray((figures - figures.mean()) / (figures.std() or 1.0))
