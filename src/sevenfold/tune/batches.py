"""Which rows a step learns from: a pure function of seed and step, so resuming needs only the step's number.

Lengths play no part in it. Trainers that pad group rows of like length, and then short rows meet short ones step after
step; here nothing is padded, so nothing is gained by that. What is done by length is the split of a step into passes,
and a step's gradient is the sum over its rows however they are split.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np


class Batches:
    """Rows in a new order each epoch; batches do not cross epochs.

    Args:
        rows: How many there are.
        batch: Rows a step; an epoch's last batch takes what is left.
        seed: The order's seed.
    """

    def __init__(self, rows: int, batch: int, seed: int) -> None:
        self.rows, self.batch, self.seed = rows, batch, seed
        self.per_epoch = -(-rows // batch)
        self.order = lru_cache(maxsize=1)(self.shuffled)

    def shuffled(self, epoch: int) -> np.ndarray:
        """The order of the rows in an epoch."""
        return np.random.default_rng([self.seed, epoch]).permutation(self.rows)

    def at(self, step: int) -> list[int]:
        """The rows of a step, counted from 0."""
        epoch, place = divmod(step, self.per_epoch)
        chosen: list[int] = self.order(epoch)[place * self.batch : (place + 1) * self.batch].tolist()
        return chosen
