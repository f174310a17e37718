"""Hashed runs of characters: fast, for every language, near where the spelling is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import Field

from sevenfold.errors import MachineError
from sevenfold.folding import folded
from sevenfold.vectors import Vectors

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray


class Ngrams(Vectors):
    """Runs of two to four characters within words, hashed with signs (Weinberger et al. 2009); no model is needed."""

    width: int = Field(1024, ge=16, le=65536, description="Figures of a vector.")

    def of(self, texts: Sequence[str]) -> NDArray[numpy.float32]:
        """The vectors of some texts; case and Unicode form do not count."""
        import numpy

        try:
            from sklearn.feature_extraction.text import HashingVectorizer
        except ImportError:
            raise MachineError(
                "hashed characters need the package scikit-learn", next_step="pip install 'sevenfold[prepare]'"
            ) from None
        hashing = HashingVectorizer(analyzer="char_wb", ngram_range=(2, 4), n_features=self.width, dtype=numpy.float32)
        if not texts:
            return numpy.zeros((0, self.width), dtype=numpy.float32)
        return numpy.asarray(hashing.transform([folded(text) for text in texts]).todense(), dtype=numpy.float32)
