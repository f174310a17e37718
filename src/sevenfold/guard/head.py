"""A linear classifier on sentence embeddings: what it takes to tell kinds of text apart, in a small JSON file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sevenfold.errors import MachineError, ModelError

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

SAFE = "safe"
"""The label of what may pass; every other label is a category."""
INVERSE_PENALTY = 10.0
"""C of scikit-learn: chosen on the learnt rows, by five folds."""
DIGITS = 6


@dataclass(frozen=True)
class Head:
    """Weights for each label.

    Args:
        vectors: The name of what makes the vectors.
        labels: Names in the order of the weights.
        weights_KD: One row of weights a label.
        bias_K: One constant a label.
    """

    vectors: str
    labels: tuple[str, ...]
    weights_KD: NDArray[numpy.float32]
    bias_K: NDArray[numpy.float32]

    def probabilities(self, vectors_ND: NDArray[Any]) -> NDArray[numpy.float64]:
        """Each text's probability of each label, ``N x K``: the softmax of a linear function."""
        from scipy.special import softmax

        found: NDArray[numpy.float64] = softmax(vectors_ND @ self.weights_KD.T.astype(float) + self.bias_K, axis=1)
        return found

    def as_json(self) -> str:
        """The head as a file keeps it."""
        kept = {
            "vectors": self.vectors,
            "labels": self.labels,
            "bias": [round(float(value), DIGITS) for value in self.bias_K],
            "weights": [[round(float(value), DIGITS) for value in row] for row in self.weights_KD],
        }
        return json.dumps(kept, ensure_ascii=False) + "\n"


def read(path: Path) -> Head:
    """A head from its file.

    Raises:
        ModelError: The file is not there, or is no head.
    """
    import numpy

    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        weights = numpy.array(kept["weights"], dtype=numpy.float32)
        bias = numpy.array(kept["bias"], dtype=numpy.float32)
        labels = tuple(map(str, kept["labels"]))
        if weights.ndim != 2 or bias.shape != (len(labels),) or len(weights) != len(labels) or SAFE not in labels:
            raise ValueError(f"{len(labels)} labels, weights of the shape {weights.shape}")
        return Head(str(kept["vectors"]), labels, weights, bias)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"the guard's head cannot be read: {error}",
            where=str(path),
            expected=f"a file that `sevenfold guard ROWS --fit FILE` wrote, with the label {SAFE!r}",
        ) from None


def fitted(vectors_ND: NDArray[Any], labels: Sequence[str], name: str) -> Head:
    """A head that tells labels apart: multinomial logistic regression, each label counting alike.

    Args:
        vectors_ND: The texts' vectors.
        labels: The right label of each.
        name: The name of what made the vectors.

    Raises:
        ModelError: ``safe`` or every category is missing.
        MachineError: scikit-learn is not installed.
    """
    import numpy

    kinds = set(labels)
    if SAFE not in kinds or len(kinds) < 2:
        raise ModelError(
            f"a guard cannot be learnt from the labels {', '.join(sorted(kinds)) or 'none'}",
            expected=f"rows that are {SAFE!r}, and rows of at least one category",
        )
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError:
        raise MachineError(
            "a guard's head is learnt with the package scikit-learn", next_step="pip install 'sevenfold[prepare]'"
        ) from None
    model = LogisticRegression(C=INVERSE_PENALTY, max_iter=2000, class_weight="balanced").fit(vectors_ND, list(labels))
    weights, bias = model.coef_, model.intercept_
    if len(kinds) == 2:  # scikit-learn keeps one row for two labels: that of the second against the first
        weights, bias = numpy.vstack([-weights / 2, weights / 2]), numpy.array([-bias[0] / 2, bias[0] / 2])
    return Head(name, tuple(map(str, model.classes_)), weights.astype(numpy.float32), bias.astype(numpy.float32))
