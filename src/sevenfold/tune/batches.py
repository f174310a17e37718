"""Which rows a step learns from: a pure function of seed and step, so resuming needs only the step's number.

Lengths play no part in it. Trainers that pad group rows of like length, and then short rows meet short ones step after
step; here nothing is padded, so nothing is gained by that. What is done by length is the split of a step into passes,
and a step's gradient is the sum over its rows however they are split.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from sevenfold.errors import DataError

if TYPE_CHECKING:
    from sevenfold.prepare.dataset import Row
    from sevenfold.tune.encoded import Encoded
    from sevenfold.tune.section import TuneSection

REPLY = "reply"
"""In the place of a column: the last reply."""


class Batches:
    """Rows in a new order each epoch; batches do not cross epochs.

    Balanced batches take rows of each label in turn, so that a step has as many of each as its size allows. Within a
    label no row comes again before all others of the label did; an epoch is still as many draws as there are rows, so
    it reads rare rows several times and leaves some of the common ones to the next. Place ``p`` of the whole training
    is of label ``p mod L``, and is its draw number ``p div L``: no history is needed for that either.

    Args:
        rows: How many there are.
        batch: Rows a step; an epoch's last batch takes what is left.
        seed: The order's seed.
        groups: The number of each row's label, where batches are balanced.
    """

    def __init__(self, rows: int, batch: int, seed: int, groups: np.ndarray | None = None) -> None:
        self.rows, self.batch, self.seed = rows, batch, seed
        self.per_epoch = -(-rows // batch)
        self.members = None if groups is None else [np.flatnonzero(groups == one) for one in np.unique(groups)]
        self.order = lru_cache(maxsize=1)(self.shuffled if self.members is None else self.balanced)

    @classmethod
    def of(cls, section: TuneSection, rows: Encoded, seed: int) -> Batches:
        """The batches of a training."""
        return cls(len(rows), section.batch, seed, rows.groups if section.balanced else None)

    def shuffled(self, epoch: int) -> np.ndarray:
        """The order of the rows in an epoch."""
        return np.random.default_rng([self.seed, epoch]).permutation(self.rows)

    def balanced(self, epoch: int) -> np.ndarray:
        """The rows of an epoch, one of each label in turn."""
        assert self.members is not None
        order = np.empty(self.rows, dtype=np.int64)
        places = np.arange(epoch * self.rows, (epoch + 1) * self.rows)
        for label, rows in enumerate(self.members):
            own = places % len(self.members) == label
            rounds, numbers = np.divmod(places[own] // len(self.members), len(rows))
            orders = {one: np.random.default_rng([self.seed, label, one]).permutation(rows) for one in set(rounds)}
            order[own] = [orders[one][number] for one, number in zip(rounds, numbers, strict=True)]
        return order

    def at(self, step: int) -> list[int]:
        """The rows of a step, counted from 0."""
        epoch, place = divmod(step, self.per_epoch)
        chosen: list[int] = self.order(epoch)[place * self.batch : (place + 1) * self.batch].tolist()
        return chosen

    def visited(self, steps: int) -> list[int]:
        """The rows that so many steps read, each once, in order."""
        different = steps if self.members is not None else min(steps, self.per_epoch)
        return sorted({row for step in range(different) for row in self.at(step)})


def label_of(row: Row, by: str) -> str:
    """What batches are balanced by.

    Args:
        row: A row.
        by: A column, or :data:`REPLY`.

    Raises:
        DataError: The row has no such column, or no reply.
    """
    if by == REPLY and row.conversation.replies:
        return row.conversation.reference().strip()
    if by != REPLY and by in row.fields:
        return row.fields[by]
    raise DataError(
        f"tune.balanced is {by!r}, and a row has no " + ("reply" if by == REPLY else "such column"),
        where=row.origin,
        value=by,
        alternatives=[REPLY, *sorted(row.fields)],
        next_step="tune.balanced: reply takes the last reply; else name a column that every row has",
    )
