"""Statistics of counts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

Z = 1.959963984540054
"""The standard normal's quantile of 97.5 %: intervals hold with 95 %."""


def wilson(part: int, whole: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927), which holds for few rows and for shares near 0 and 1."""
    if not whole:
        return 0.0, 1.0
    share, spread = part / whole, Z * Z / whole
    middle = (share + spread / 2) / (1 + spread)
    reach = Z * math.sqrt(share * (1 - share) / whole + spread / (4 * whole)) / (1 + spread)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def differing(counts: Sequence[Sequence[int]]) -> float | None:
    """Pearson's chi-square test of a table of counts: how likely differences as large are, were there none.

    Rows and columns of zeros say nothing and are left out. Below an expected count of five in a cell the figure is
    rough, which is why it stands beside the counts.

    Returns:
        The p-value; None where fewer than two rows or columns have counts.
    """
    rows = [list(row) for row in counts if any(row)]
    columns = [column for column in zip(*rows, strict=True) if any(column)]
    if len(rows) < 2 or len(columns) < 2:
        return None
    from scipy.stats import chi2_contingency

    return float(chi2_contingency(list(zip(*columns, strict=True)), correction=False).pvalue)


def holm(found: Sequence[float | None]) -> list[float | None]:
    """p-values corrected for how many there are (Holm 1979); None stays."""
    known = sorted((value, place) for place, value in enumerate(found) if value is not None)
    corrected: list[float | None] = [None] * len(found)
    highest = 0.0
    for rank, (value, place) in enumerate(known):
        highest = max(highest, min(1.0, value * (len(known) - rank)))
        corrected[place] = highest
    return corrected


def entropy(counts: Iterable[int]) -> float:
    """Shannon's entropy of counts, in nats."""
    kept = [count for count in counts if count]
    total = sum(kept)
    return -sum(count / total * math.log(count / total) for count in kept) + 0.0


def p_text(value: float | None) -> str:
    """A p-value for a table."""
    if value is None:
        return "–"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
