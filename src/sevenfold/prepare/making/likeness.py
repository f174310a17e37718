"""How alike two texts are, measured against how alike texts of this set are anyway."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    from sevenfold.vectors import Vectors

SAMPLE = 200
"""Texts from which it is learnt how alike two texts are by chance."""
NEAREST_ONE = 0.999
"""The chance likeness of texts that are all the same, so that nothing is divided by nought."""


class Likeness:
    """Cosines on a scale of the set itself: 0 is two texts of it by chance, 1 the same text.

    A plain cosine has no border that holds everywhere: with multilingual-e5 unrelated texts lie near 0.75, with hashed
    characters near 0.1.

    Args:
        vectors: How texts become points.
        texts: Texts of the set; up to 200 are looked at.
        random: Chooses them.
    """

    def __init__(self, vectors: Vectors, texts: Sequence[str], random: Random) -> None:
        self.vectors = vectors
        chosen = random.sample(list(texts), min(SAMPLE, len(texts)))
        points = vectors.of(chosen)
        cosines = (points[:-1] * points[1:]).sum(axis=1) if len(chosen) > 1 else points[:0, 0]
        self.chance = min(float(cosines.mean()) if len(cosines) else 0.0, NEAREST_ONE)

    def scaled(self, cosines: NDArray[numpy.float32]) -> list[float]:
        """Cosines on the set's own scale."""
        return [(float(cosine) - self.chance) / (1 - self.chance) for cosine in cosines]

    def between(self, first: Sequence[str], second: Sequence[str]) -> list[float]:
        """How alike each text is to its partner."""
        return self.scaled((self.vectors.of(first) * self.vectors.of(second)).sum(axis=1)) if first else []
