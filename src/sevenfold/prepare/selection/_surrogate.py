"""A linear model over vectors in place of the model that will be trained: its loss and gradients have closed forms.

Suffixes: N rows, D figures of an input's vector, K labels or figures of a reply's vector.

With a label the surrogate is a softmax regression; for free replies it is a ridge regression from the vector of the
prompt to that of the reply. Of both, a row's gradient is ``x (p - y)^T`` with the prediction p.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

import numpy

from sevenfold.errors import MachineError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sevenfold.prepare.vectors import Vectors

    Floats = NDArray[numpy.float64]

PENALTY = 1e-3
"""Weight of the squared parameters beside the mean loss of rows whose vectors have length 1."""


@dataclass(frozen=True)
class Examples:
    """Rows as the surrogate sees them; 8 bytes a figure, with e5 about 6 kB a row.

    Args:
        inputs_ND: Vectors of the prompts, with a 1 behind for the intercept.
        targets_NK: One-hot labels, or vectors of the replies.
        labelled: Whether the targets are labels.
    """

    inputs_ND: Floats
    targets_NK: Floats
    labelled: bool

    def __len__(self) -> int:
        return len(self.inputs_ND)

    def part(self, rows: Sequence[int]) -> Examples:
        """Some of the rows."""
        return Examples(self.inputs_ND[list(rows)], self.targets_NK[list(rows)], self.labelled)

    def halves(self, dice: Random) -> list[tuple[list[int], list[int]]]:
        """Two halves of the rows, each once in front."""
        order = list(range(len(self)))
        dice.shuffle(order)
        one, other = sorted(order[: len(order) // 2]), sorted(order[len(order) // 2 :])
        return [(one, other), (other, one)]


def examples_of(vectors: Vectors, prompts: Sequence[str], replies: Sequence[str], labels: Sequence[str]) -> Examples:
    """The rows as vectors; with labels these are the targets, else the replies."""
    inputs = numpy.asarray(vectors.of(prompts), dtype=numpy.float64)
    inputs_ND = numpy.hstack([inputs, numpy.ones((len(inputs), 1))])
    if not labels:
        return Examples(inputs_ND, numpy.asarray(vectors.of(replies), dtype=numpy.float64), False)
    known = {label: place for place, label in enumerate(sorted(set(labels)))}
    return Examples(inputs_ND, numpy.eye(len(known))[[known[label] for label in labels]], True)


@dataclass(frozen=True)
class Linear:
    """The surrogate.

    Args:
        weights_DK: Its parameters.
        labelled: Whether it predicts labels.
    """

    weights_DK: Floats
    labelled: bool

    def predicted(self, inputs_ND: Floats) -> Floats:
        """Probabilities of labels, or the vector of the reply, ``N x K``."""
        from scipy.special import softmax

        found_NK = inputs_ND @ self.weights_DK
        return softmax(found_NK, axis=1) if self.labelled else found_NK

    def residuals(self, examples: Examples) -> Floats:
        """Prediction minus target, ``N x K``: a row's gradient is its input times this."""
        return self.predicted(examples.inputs_ND) - examples.targets_NK

    def losses(self, examples: Examples) -> Floats:
        """Cross-entropy, or half the squared distance, of each row."""
        if not self.labelled:
            return 0.5 * (self.residuals(examples) ** 2).sum(axis=1)
        from scipy.special import logsumexp

        logits_NK = examples.inputs_ND @ self.weights_DK
        true_N = (logits_NK * examples.targets_NK).sum(axis=1)
        return numpy.asarray(logsumexp(logits_NK, axis=1) - true_N)

    def gradient(self, examples: Examples) -> Floats:
        """The gradient of the mean loss, ``D x K``, without the penalty."""
        return examples.inputs_ND.T @ self.residuals(examples) / len(examples)

    def curved(self, examples: Examples, direction_DK: Floats) -> Floats:
        """The Hessian of mean loss and penalty times a direction, ``D x K``."""
        moved_NK = examples.inputs_ND @ direction_DK
        if self.labelled:
            probs_NK = self.predicted(examples.inputs_ND)
            moved_NK = probs_NK * (moved_NK - (probs_NK * moved_NK).sum(axis=1, keepdims=True))
        return examples.inputs_ND.T @ moved_NK / len(examples) + PENALTY * direction_DK


def fitted(examples: Examples) -> Linear:
    """The surrogate that fits some rows best.

    Raises:
        MachineError: SciPy is not installed.
    """
    try:
        from scipy.optimize import minimize
    except ImportError:
        raise MachineError("the surrogate needs SciPy", next_step="pip install 'sevenfold[prepare]'") from None
    width, kinds = examples.inputs_ND.shape[1], examples.targets_NK.shape[1]
    if not examples.labelled:
        square_DD = examples.inputs_ND.T @ examples.inputs_ND / len(examples) + PENALTY * numpy.eye(width)
        cross_DK = examples.inputs_ND.T @ examples.targets_NK / len(examples)
        return Linear(numpy.asarray(numpy.linalg.solve(square_DD, cross_DK), dtype=numpy.float64), False)

    def loss(flat: Floats) -> tuple[float, Floats]:
        linear = Linear(flat.reshape(width, kinds), True)
        mean = float(linear.losses(examples).mean() + 0.5 * PENALTY * (flat**2).sum())
        return mean, linear.gradient(examples).ravel() + PENALTY * flat

    found = minimize(loss, numpy.zeros(width * kinds), jac=True, method="L-BFGS-B", options={"maxiter": 500})
    return Linear(found.x.reshape(width, kinds), True)
