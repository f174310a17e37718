"""Which of some public texts a set of private rows is like, told only through noise.

Private Evolution (Lin et al. 2023, arXiv 2305.15560; for texts Xie et al. 2024, arXiv 2403.01749): every private row
votes for the candidate nearest to it, and the histogram of votes is released with Gaussian noise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from sevenfold.vectors import Vectors

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

GROUP = 256
"""Private rows whose vectors are in memory at a time."""


def votes(
    vectors: Vectors, private: Iterable[tuple[str, str]], candidates: Sequence[tuple[str, str]]
) -> NDArray[numpy.int64]:
    """How many private texts each candidate is the nearest to, among those of the text's own label.

    A private text casts one vote or, where no candidate has its label, none: with one text more, one figure is larger
    by 1 and no other changes, so that the L2 sensitivity is 1.

    Args:
        vectors: By which nearness is measured.
        private: Each text with its label.
        candidates: Likewise.
    """
    import numpy

    found = numpy.zeros(len(candidates), dtype=numpy.int64)
    points = vectors.of([text for text, _ in candidates])
    labels = numpy.array([label for _, label in candidates])
    for group in grouped(private):
        alike = vectors.of([text for text, _ in group]) @ points.T
        same = numpy.array([label for _, label in group])[:, None] == labels[None, :]
        alike = numpy.where(same, alike, -numpy.inf)
        nearest = alike.argmax(axis=1)[same.any(axis=1)]
        found += numpy.bincount(nearest, minlength=len(candidates))
    return found


def grouped(private: Iterable[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    """Some texts at a time."""
    rows = iter(private)
    while group := list(islice(rows, GROUP)):
        yield group


def noised(counts: Sequence[int], sigma: float, gauss: Callable[[float, float], float]) -> list[float]:
    """The counts as they may be told.

    Args:
        counts: Votes.
        sigma: The standard deviation of the noise.
        gauss: Draws from a normal distribution, by its mean and standard deviation.
    """
    return [float(count) + gauss(0.0, sigma) for count in counts]
