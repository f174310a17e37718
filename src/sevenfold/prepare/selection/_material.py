"""What the ways to score look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from sevenfold.prepare.keys import hashed

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    from sevenfold.vectors import Vectors

FEWEST = 5
"""Rows that a reply must have on average for the replies to count as labels."""


@dataclass
class Material:
    """The training rows, as texts and vectors; about 7 kB a row with vectors of 384 figures, in memory.

    Args:
        prompts: Everything before the last reply.
        replies: The last replies.
        origins: Where the rows came from.
        vectors: What turns texts into vectors.
        seed: Of whatever is drawn.
    """

    prompts: Sequence[str]
    replies: Sequence[str]
    origins: Sequence[str]
    vectors: Vectors
    seed: int

    def __len__(self) -> int:
        return len(self.prompts)

    @cached_property
    def labelled(self) -> bool:
        """Whether replies are labels: each stands, on average, in several rows."""
        return len(set(self.replies)) * FEWEST <= len(self.replies)

    @cached_property
    def inputs(self) -> NDArray[numpy.float64]:
        """The prompts' vectors less their mean, and a column of ones."""
        import numpy

        found = self.vectors.of(self.prompts).astype(numpy.float64)
        return numpy.hstack([found - found.mean(axis=0), numpy.ones((len(found), 1))])

    @cached_property
    def targets(self) -> NDArray[numpy.float64]:
        """What the surrogate learns: a column a label, or the replies' vectors less their mean."""
        import numpy

        if self.labelled:
            labels = sorted(set(self.replies))
            return (numpy.array(self.replies)[:, None] == numpy.array(labels)[None, :]).astype(numpy.float64)
        found = self.vectors.of(self.replies).astype(numpy.float64)
        return numpy.asarray(found - found.mean(axis=0))

    def folds(self, count: int) -> NDArray[numpy.int64]:
        """A part for each row, as equal as they can be, drawn by what the rows say."""
        import numpy

        order = numpy.array([hashed((str(self.seed), *row)) for row in zip(self.prompts, self.replies, strict=True)])
        parts = numpy.empty(len(order), dtype=numpy.int64)
        parts[numpy.argsort(order, kind="stable")] = numpy.arange(len(order)) % count
        return parts
