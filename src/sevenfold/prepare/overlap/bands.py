"""MinHash signatures in bands: two texts that are alike share a band.

Leskovec, Rajaraman and Ullman, "Mining of Massive Datasets", section 3.4. The signatures are rensa's, in Rust.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from sevenfold.errors import MachineError

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

MISSED = 0.01
"""The share of pairs exactly at the threshold that may share no band; pairs above it are missed far less."""
SEED = 17
MIX = 0x9E3779B97F4A7C15


class Banding(NamedTuple):
    """How a signature is cut: ``bands`` pieces of ``rows`` values each."""

    bands: int
    rows: int

    def shared(self, similarity: float) -> float:
        """The probability that two texts of this similarity share a band."""
        return 1 - (1 - similarity**self.rows) ** self.bands


def banding(threshold: float, permutations: int) -> Banding:
    """The longest bands, so the fewest false candidates, that miss few enough pairs at the threshold."""
    cuts = [Banding(permutations // rows, rows) for rows in range(1, permutations + 1)]
    return max((cut for cut in cuts if 1 - cut.shared(threshold) <= MISSED), key=lambda cut: cut.rows, default=cuts[0])


def band_keys(sets: Iterable[Collection[str]], cut: Banding) -> NDArray[numpy.uint64]:
    """64 bits for each band of each set: shape (sets, bands).

    Raises:
        MachineError: The library that makes the signatures is not installed.
    """
    import numpy

    try:
        from rensa import RMinHash
    except ImportError:
        raise MachineError(
            "near-duplicates need the library rensa", next_step="pip install 'sevenfold[prepare]'"
        ) from None
    used = cut.bands * cut.rows
    values = RMinHash.digest_matrix_from_token_sets([list(found) for found in sets], used, SEED).to_rows()
    flat = numpy.fromiter(chain.from_iterable(values), dtype=numpy.uint64, count=len(values) * used)
    pieces = flat.reshape(-1, cut.bands, cut.rows)
    keys = numpy.zeros(pieces.shape[:2], dtype=numpy.uint64)
    for place in range(cut.rows):
        keys = (keys ^ pieces[:, :, place]) * numpy.uint64(MIX)
        keys ^= keys >> numpy.uint64(29)
    return keys
