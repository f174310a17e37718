"""A small classifier of texts in place of the model that will be trained: which label a text seems to have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sevenfold.errors import DataError, MachineError

if TYPE_CHECKING:
    from sevenfold.vectors import Vectors

STRENGTH = 10.0
"""Inverse weight of the penalty: vectors of length 1 need large weights."""
ROUNDS = 1000


class Surrogate:
    """Logistic regression over vectors; keeps no rows, and needs 4 bytes times the vector's width a row to be fitted.

    Args:
        vectors: How texts become points.
        texts: The texts that it learns from.
        labels: The label of each.

    Raises:
        DataError: There is one label only.
        MachineError: scikit-learn is not installed.
    """

    def __init__(self, vectors: Vectors, texts: Sequence[str], labels: Sequence[str]) -> None:
        if len(set(labels)) < 2:
            raise DataError(
                f"a classifier needs two labels, there is {sorted(set(labels))!r}",
                next_step="name the column of the label that differs between rows",
            )
        try:
            from sklearn.linear_model import LogisticRegression
        except ImportError:
            raise MachineError(
                "a surrogate classifier needs the package scikit-learn", next_step="pip install 'sevenfold[prepare]'"
            ) from None
        self.vectors = vectors
        self.model = LogisticRegression(C=STRENGTH, max_iter=ROUNDS).fit(vectors.of(texts), list(labels))
        self.places = {str(label): place for place, label in enumerate(self.model.classes_)}

    def labels(self, texts: Sequence[str]) -> list[str]:
        """The likeliest label of each text."""
        return [str(label) for label in self.model.predict(self.vectors.of(texts))] if texts else []

    def sure(self, texts: Sequence[str], label: str) -> list[float]:
        """How probable one label is for each text."""
        return [float(share[self.places[label]]) for share in self.model.predict_proba(self.vectors.of(texts))]
