"""What comes often in a stream, in a memory that does not grow with it."""

from __future__ import annotations

from collections import Counter
from statistics import median_low


class Frequent:
    """Counts that are never too high: what is called frequent is.

    Misra and Gries 1982, with the reduction of Agarwal et al. 2012 ("Mergeable summaries"), by the median: of a stream
    of N, a count is too low by at most 2 N / capacity.

    Args:
        capacity: Different things that are remembered; about 100 bytes each.
    """

    def __init__(self, capacity: int = 500_000) -> None:
        self.capacity = capacity
        self.counts: Counter[int] = Counter()

    def add(self, key: int) -> int:
        """Count a thing once more; how often it came, at least."""
        self.counts[key] += 1
        found = self.counts[key]
        if len(self.counts) > self.capacity:
            # The median halves the table, so that a reduction comes once in many additions.
            least = median_low(self.counts.values())
            self.counts = Counter({thing: count - least for thing, count in self.counts.items() if count > least})
        return found
