"""MinHash signatures in bands: two texts that are alike share a band.

Leskovec, Rajaraman and Ullman, "Mining of Massive Datasets", section 3.4. The signatures are rensa's, in Rust.
"""

from __future__ import annotations

import math
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from sevenfold.errors import MachineError
from sevenfold.prepare.overlap.mixing import mixed
from sevenfold.prepare.overlap.shingles import Shingles

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

MISSED = 0.01
"""The share of pairs exactly at the threshold that may share no band; pairs above it are missed far less."""
SEED = 17
SKETCHED = 64
"""Values of a signature that its sketch has a byte of."""


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


class Signatures(NamedTuple):
    """What texts are looked for by, and a sketch that tells most false finds without reading them.

    Args:
        keys: 64 bits for each band: shape (texts, bands).
        sketches: 8 bits of some of the values (Li and König 2010, "b-Bit Minwise Hashing"): shape (texts, values).
    """

    keys: NDArray[numpy.uint64]
    sketches: NDArray[numpy.uint8]

    def of(self, texts: NDArray[numpy.int64]) -> Signatures:
        """Those of some texts."""
        return Signatures(self.keys[texts], self.sketches[texts])


def signatures(shingles: Shingles, cut: Banding) -> Signatures:
    """The signatures of texts.

    Raises:
        MachineError: The library that makes them is not installed.
    """
    import numpy

    try:
        from rensa import RMinHash
    except ImportError:
        raise MachineError(
            "near-duplicates need the library rensa", next_step="pip install 'sevenfold[prepare]'"
        ) from None
    used, starts = cut.bands * cut.rows, shingles.starts.astype(numpy.uint64)
    rows = RMinHash.digest_matrix_from_flat_token_hashes(shingles.numbers, starts, used, SEED).to_rows()
    values = numpy.fromiter(chain.from_iterable(rows), dtype=numpy.uint64, count=len(rows) * used).reshape(-1, used)
    pieces = values.reshape(-1, cut.bands, cut.rows)
    keys = numpy.zeros(pieces.shape[:2], dtype=numpy.uint64)
    for place in range(cut.rows):
        keys = mixed(keys, pieces[:, :, place])
    return Signatures(keys, values[:, :SKETCHED].astype(numpy.uint8))


def least_equal(threshold: float, values: int) -> int:
    """How many of a sketch's values two texts share at least that are as alike as the threshold.

    Five deviations below what is expected there, so that of 3 million pairs at the threshold one is missed.
    """
    expected = threshold + (1 - threshold) / 256
    return math.ceil(values * expected - 5 * math.sqrt(values * expected * (1 - expected)))
