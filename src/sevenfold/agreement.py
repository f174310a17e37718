"""How far people agree: from shares to coefficients that take chance out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sevenfold.errors import MachineError

Ratings = Sequence[Sequence[str | None]]
"""Rows of what each annotator said; None: nothing."""


def percent(ratings: Ratings) -> float | None:
    """The share of pairs of answers to one row that are equal."""
    equal, pairs = 0, 0
    for row in ratings:
        counts = Counter(one for one in row if one is not None)
        total = counts.total()
        equal += sum(count * (count - 1) for count in counts.values())
        pairs += total * (total - 1)
    return equal / pairs if pairs else None


def cohen(one: Sequence[str | None], other: Sequence[str | None]) -> tuple[float | None, int]:
    """Cohen's kappa of two (Cohen 1960) on the rows that both answered, and how many those are."""
    pairs = [(a, b) for a, b in zip(one, other, strict=True) if a is not None and b is not None]
    if not pairs:
        return None, 0
    left, right = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    seen = sum(a == b for a, b in pairs) / len(pairs)
    chance = sum(left[label] * right[label] for label in left) / len(pairs) ** 2
    return ((seen - chance) / (1 - chance) if chance < 1 else None), len(pairs)


def fleiss(ratings: Ratings) -> tuple[float | None, int]:
    """Fleiss' kappa (Fleiss 1971) on the rows with the most usual number of answers, and how many those are.

    The coefficient is defined only where every row has the same number of answers; who gave them does not count.
    """
    counted = [Counter(one for one in row if one is not None) for row in ratings]
    sizes = Counter(row.total() for row in counted if row.total() > 1)
    if not sizes:
        return None, 0
    size = max(sizes, key=lambda each: (sizes[each], each))
    rows = [row for row in counted if row.total() == size]
    seen = sum(sum(count * (count - 1) for count in row.values()) for row in rows) / (len(rows) * size * (size - 1))
    totals = sum(rows, Counter[str]())
    chance = sum((count / (len(rows) * size)) ** 2 for count in totals.values())
    return ((seen - chance) / (1 - chance) if chance < 1 else None), len(rows)


def alpha(ratings: Ratings) -> float | None:
    """Krippendorff's alpha for names (Krippendorff 2011), missing answers allowed; None where all say one label.

    Raises:
        MachineError: The package is not installed.
    """
    labels = sorted({one for row in ratings for one in row if one is not None})
    if len(labels) < 2 or not any(sum(one is not None for one in row) > 1 for row in ratings):
        return None
    try:
        import krippendorff
    except ImportError:
        raise MachineError(
            "Krippendorff's alpha needs the package krippendorff", next_step="pip install 'sevenfold[prepare]'"
        ) from None
    counts = [[sum(one == label for one in row) for label in labels] for row in ratings]
    return float(krippendorff.alpha(value_counts=counts, level_of_measurement="nominal"))
