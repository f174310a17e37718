"""Data error potential: how hard a row is to learn, seen over the whole of a training."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from pydantic import Field

from sevenfold.prepare.selection import Scorer

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    from sevenfold.prepare.selection._surrogate import Examples


class ErrorPotential(Scorer):
    """Minus the mean loss of a row over the epochs of a surrogate's training: rows that are learnt late come last.

    The mean over a training is what dataset cartography calls confidence (Swayamdipta et al. 2020), here as a loss, so
    that it is defined for free replies too. Noise and wrong labels are hard to learn, and so are rare and new things.
    """

    epochs: int = Field(30, ge=2, description="Passes over the rows.")
    rate: float = Field(1.0, gt=0, description="Learning rate of gradient descent, in units of the largest stable one.")

    def scores(self, examples: Examples, dice: Random) -> NDArray[numpy.float64]:
        """Minus the mean loss of each row."""
        import numpy

        from sevenfold.prepare.selection._surrogate import Linear

        weights_DK = numpy.zeros((examples.inputs_ND.shape[1], examples.targets_NK.shape[1]))
        # The largest eigenvalue of the inputs' second moments bounds the curvature of both losses.
        largest = float(numpy.linalg.norm(examples.inputs_ND.T @ examples.inputs_ND / len(examples), 2))
        total_N = numpy.zeros(len(examples))
        for _ in range(self.epochs):
            linear = Linear(weights_DK, examples.labelled)
            total_N += linear.losses(examples)
            weights_DK = weights_DK - self.rate / largest * linear.gradient(examples)
        return -total_N / self.epochs
