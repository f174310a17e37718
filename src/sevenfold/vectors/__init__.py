"""Vectors: what turns texts into points, near to each other where the texts are alike. One file each."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sevenfold.registry import Registry
from sevenfold.schema import Component

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray


class Vectors(Component):
    """A way to turn texts into vectors."""

    @abstractmethod
    def of(self, texts: Sequence[str]) -> NDArray[numpy.float32]:
        """The vectors of some texts, ``N x D``, each of length 1; an empty text may have a vector of zeros.

        The vector of a text does not depend on the others.

        Raises:
            MachineError: What they are made with is not installed.
        """


VECTORS = Registry(__name__, Vectors)
