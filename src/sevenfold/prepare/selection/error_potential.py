"""Data error potential: rows that stay hard while the surrogate learns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from sevenfold.prepare.selection import Way

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    from sevenfold.prepare.selection._material import Material


class ErrorPotential(Way):
    """A row's mean error over the epochs of a surrogate (dataset cartography, Swayamdipta et al. 2020).

    For labels, 1 less the probability of the row's own label in a softmax regression: 0 easy, 1 never learnt. For other
    replies, the squared error of a linear regression as a share of the reply's own square.
    """

    epochs: int = Field(30, ge=2, description="Steps over all rows.")

    def scores(self, material: Material) -> NDArray[numpy.float64]:
        """The means."""
        import numpy

        inputs, targets = material.inputs, material.targets
        # The Hessian of both losses is at most the inputs' largest eigenvalue, so that this step never overshoots.
        step = 1 / numpy.linalg.eigvalsh(inputs.T @ inputs)[-1]
        weights = numpy.zeros((inputs.shape[1], targets.shape[1]))
        total = numpy.zeros(len(inputs))
        for _ in range(self.epochs):
            found = softmax(inputs @ weights) if material.labelled else inputs @ weights
            weights += step * inputs.T @ (targets - found)
            if material.labelled:
                total += 1 - (softmax(inputs @ weights) * targets).sum(axis=1)
            else:
                left = ((targets - inputs @ weights) ** 2).sum(axis=1)
                total += left / numpy.maximum((targets**2).sum(axis=1), 1e-12)
        return numpy.asarray(total / self.epochs)


def softmax(figures: NDArray[numpy.float64]) -> NDArray[numpy.float64]:
    """Probabilities along the rows."""
    import numpy

    raised = numpy.exp(figures - figures.max(axis=1, keepdims=True))
    return numpy.asarray(raised / raised.sum(axis=1, keepdims=True))
