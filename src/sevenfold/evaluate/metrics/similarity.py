"""How near answer and reference are in meaning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from sevenfold.evaluate.metrics import Better, RowMetric
from sevenfold.schema import Chosen
from sevenfold.vectors import VECTORS, Vectors
from sevenfold.vectors.e5 import E5

if TYPE_CHECKING:
    from sevenfold.evaluate.held_out import Question


class Similarity(RowMetric):
    """Cosine of the vectors of answer and reference, averaged over rows; -1 to 1, higher is better.

    ``a . b / (|a| |b|)`` of sentence embeddings (Reimers and Gurevych 2019, arXiv 1908.10084), by default of
    multilingual-e5-small (Wang et al. 2024, arXiv 2402.05672). Other words for the same thing count, which no metric of
    words sees; a wrong number or a "not" hardly does. Unrelated texts have about 0.75 with e5: compare two models by it
    and do not read it as a share. An empty answer has 0.
    """

    main = "vectors"
    better: ClassVar[Better] = "higher"
    unit: ClassVar[str] = "cosine"
    low: ClassVar[float] = -1.0
    high: ClassVar[float] = 1.0
    vectors: Annotated[Vectors, Chosen(VECTORS)] = Field(
        default_factory=E5, description="What makes vectors of texts: e5 for meaning, ngrams for spelling."
    )

    def values(self, answers: Sequence[str], questions: Sequence[Question]) -> list[float]:
        """Each row's cosine."""
        import numpy as np

        count = len(answers)
        both = self.vectors.of([*answers, *(question.reference for question in questions)]).astype(np.float64)
        lengths = np.linalg.norm(both, axis=1)
        products = (both[:count] * both[count:]).sum(1) / np.maximum(lengths[:count] * lengths[count:], 1e-12)
        said = np.array([bool(answer.strip()) for answer in answers])
        return [float(value) for value in np.where(said, np.clip(products, -1, 1), 0.0)]
