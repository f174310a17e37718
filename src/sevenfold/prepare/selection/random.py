"""Random: what any better way must beat."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sevenfold.prepare.keys import hashed
from sevenfold.prepare.selection import Way

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    from sevenfold.prepare.selection._material import Material


class Random(Way):
    """Rows by chance, the same for the same seed whatever their order."""

    spread: ClassVar[bool] = False

    def scores(self, material: Material) -> NDArray[numpy.float64]:
        """Figures between 0 and 1."""
        import numpy

        pairs = zip(material.prompts, material.replies, strict=True)
        return numpy.array([hashed((str(material.seed), "select", *pair)) % 2**53 / 2**53 for pair in pairs])
