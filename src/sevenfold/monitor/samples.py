"""Two samples of texts: are they from one source? Three distances, each with a permutation p-value.

Under "one source" the labels of the pooled texts can be exchanged, so each distance is compared with its values under
random relabelling (``scipy.stats.permutation_test``): the p-value holds at every sample size and for every language,
and nothing is assumed about the texts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sevenfold.monitor.text import trigram_counts, word_counts

if TYPE_CHECKING:
    import numpy as np

Statistic = Callable[..., "np.ndarray"]
"""``statistic(a, b, axis=-1)``: the distance of the texts at the positions ``a`` and ``b``, (..., count) each."""

DECILES = 10


@dataclass(frozen=True, slots=True)
class Distance:
    """One distance between two samples.

    Args:
        value: The distance.
        expected: Its mean under random relabelling: what noise alone gives at this sample size.
        p_value: The share of relabellings that are at least as far apart.
    """

    value: float
    expected: float
    p_value: float


@dataclass(frozen=True)
class Features:
    """What is measured of every text; rows of two sets can be stacked.

    Args:
        lengths: Characters, (texts,).
        words: Word counts in buckets, (texts, buckets).
        trigrams: Directions of the trigram counts, (texts, buckets), unit length.
    """

    lengths: np.ndarray
    words: np.ndarray
    trigrams: np.ndarray

    @classmethod
    def of(cls, texts: Sequence[str]) -> Features:
        """Measure texts."""
        import numpy as np

        # The logarithm keeps one repeated trigram from outweighing the rest of a text.
        counts = np.log1p(trigram_counts(texts))
        norms = np.linalg.norm(counts, axis=1, keepdims=True)
        return cls(np.array([len(text) for text in texts], float), word_counts(texts), counts / np.maximum(norms, 1e-9))

    def __len__(self) -> int:
        return len(self.lengths)

    def take(self, rows: np.ndarray) -> Features:
        """Some of the texts."""
        return Features(self.lengths[rows], self.words[rows], self.trigrams[rows])

    def joined(self, other: Features) -> Features:
        """These texts, then the others."""
        import numpy as np

        return Features(
            np.concatenate([self.lengths, other.lengths]),
            np.concatenate([self.words, other.words]),
            np.concatenate([self.trigrams, other.trigrams]),
        )


def compare(new: Features, known: Features, permutations: int, seed: int) -> dict[str, Distance]:
    """Every distance between two samples of texts.

    Args:
        new: The texts in question.
        known: The texts they should be like.
        permutations: Random relabellings; the smallest p-value is 1 / (permutations + 1).
        seed: The seed of the relabelling.

    Returns:
        ``length`` (:func:`length_psi`), ``words`` (:func:`word_divergence`), ``trigrams`` (:func:`energy`).
    """
    import numpy as np
    from scipy.stats import permutation_test

    pooled = new.joined(known)
    groups = (np.arange(len(new)), np.arange(len(new), len(pooled)))
    statistics = {
        "length": length_psi(pooled.lengths),
        "words": word_divergence(pooled.words),
        "trigrams": energy(pooled.trigrams),
    }
    found = {}
    for name, statistic in statistics.items():
        test = permutation_test(
            groups,
            statistic,
            vectorized=True,
            n_resamples=permutations,
            batch=128,
            alternative="greater",
            rng=np.random.default_rng(seed),
        )
        found[name] = Distance(float(test.statistic), float(test.null_distribution.mean()), float(test.pvalue))
    return found


def length_psi(lengths: np.ndarray) -> Statistic:
    """The population stability index of the lengths: sum over bins of (a - b) ln(a / b).

    The bins are the deciles of the known texts; half a text is added to every bin, so an empty one stays finite.

    Args:
        lengths: Characters of the pooled texts, (texts,).
    """
    import numpy as np

    def statistic(new: np.ndarray, known: np.ndarray, axis: int = -1) -> np.ndarray:
        edges = np.quantile(lengths[known], np.linspace(0, 1, DECILES + 1)[1:-1], axis=-1)
        shares = [bin_shares(lengths[group], edges) for group in (new, known)]
        return ((shares[0] - shares[1]) * np.log(shares[0] / shares[1])).sum(-1)

    return statistic


def bin_shares(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """The share of values in each bin.

    Args:
        values: (..., count).
        edges: The inner edges, (edges, ...).

    Returns:
        Shares, (..., edges + 1).
    """
    import numpy as np

    above = np.stack([(values > edge[..., None]).sum(-1) for edge in edges], axis=-1)
    ends = np.concatenate([np.full_like(above[..., :1], values.shape[-1]), above, np.zeros_like(above[..., :1])], -1)
    counts = -np.diff(ends, axis=-1) + 0.5
    return counts / counts.sum(-1, keepdims=True)


def word_divergence(words: np.ndarray) -> Statistic:
    """The Jensen-Shannon divergence of the word frequencies, in bits: 0 alike, 1 without a common word.

    Lin, "Divergence measures based on the Shannon entropy", 1991.

    Args:
        words: Word counts of the pooled texts, (texts, buckets).
    """
    import numpy as np
    from scipy.sparse import csr_array
    from scipy.spatial.distance import jensenshannon

    used = words[:, words.any(0)]
    sparse, total = csr_array(used), used.sum(0)

    def statistic(new: np.ndarray, known: np.ndarray, axis: int = -1) -> np.ndarray:
        counts = members(new, len(words)) @ sparse
        if not total.size:
            return np.zeros(new.shape[:-1])
        # jensenshannon gives the distance, the root of the divergence; it normalises the counts itself.
        distance = jensenshannon(counts + 1e-9, total - counts + 1e-9, base=2, axis=-1)
        return np.square(distance).reshape(new.shape[:-1])

    return statistic


def energy(directions: np.ndarray) -> Statistic:
    """The energy coefficient of the trigram directions: 0 alike, 1 as different as can be.

    (2 E|X - Y| - E|X - X'| - E|Y - Y'|) / 2 E|X - Y| with pairs of different texts, so that its mean is 0 when the
    samples are alike. Székely and Rizzo, "Energy statistics", 2013.

    Args:
        directions: Unit vectors of the pooled texts, (texts, buckets).
    """
    import numpy as np

    gaps = np.sqrt(np.maximum(2 - 2 * directions @ directions.T, 0))
    np.fill_diagonal(gaps, 0)
    row_sums, total = gaps.sum(1, dtype=float), gaps.sum(dtype=float)

    def statistic(new: np.ndarray, known: np.ndarray, axis: int = -1) -> np.ndarray:
        n, m = new.shape[-1], known.shape[-1]
        inside = members(new, len(directions))
        within_new = ((inside @ gaps) * inside).sum(-1, dtype=float)
        from_new = inside @ row_sums
        across = (from_new - within_new) / (n * m)
        within_known = total - 2 * from_new + within_new
        spread = within_new / (n * (n - 1)) + within_known / (m * (m - 1))
        return ((2 * across - spread) / np.maximum(2 * across, 1e-12)).reshape(new.shape[:-1])

    return statistic


def members(positions: np.ndarray, size: int) -> np.ndarray:
    """Ones at the positions, zeros elsewhere.

    Args:
        positions: (..., count).
        size: Length of a row.

    Returns:
        (rows, size), float32; one row when there is one set of positions.
    """
    import numpy as np

    rows = positions.reshape(-1, positions.shape[-1])
    marks = np.zeros((len(rows), size), np.float32)
    np.put_along_axis(marks, rows, 1, axis=1)
    return marks
