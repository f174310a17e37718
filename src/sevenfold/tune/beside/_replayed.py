"""General rows in every step, at work."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from sevenfold.tune.beside import Start, Working
from sevenfold.tune.beside._general import likelihood
from sevenfold.tune.engine.passes import Pass, passes

if TYPE_CHECKING:
    from torch import Tensor

    from sevenfold.tune.encoded import Encoded
    from sevenfold.tune.methods import Moment
    from sevenfold.tune.objectives import Figures

OTHERS = 1
"""Tells the order of general rows from that of the objective's, which is a function of seed and epoch too."""


class Replayed(Working):
    """Replay at work; a piece of a long text is a row.

    Args:
        name: As of :class:`Working`.
        rows: The general rows.
        count: How many of them a step reads.
        at: The training.
    """

    def __init__(self, name: str, rows: Encoded, count: int, at: Start) -> None:
        super().__init__(name)
        self.rows, self.count, self.forward, self.section = rows, count, at.forward, at.section
        self.order = lru_cache(maxsize=2)(self.shuffled)
        self.batch: list[Pass] = []

    @property
    def passes(self) -> int:  # type: ignore[override]
        """One for each of the general rows' passes."""
        return len(self.batch)

    def begin(self, moment: Moment) -> None:
        """Draw the step's rows."""
        first = moment.step * self.count
        places = (divmod(place, len(self.rows.lengths)) for place in range(first, first + self.count))
        drawn = [self.rows.sequence(int(self.order(moment.seed, epoch)[place])) for epoch, place in places]
        self.batch = passes(drawn, self.section.tokens_per_pass)

    def weight(self, objective: float) -> float:
        """The targets of the general rows; beside an objective that counts rows, as many of these as were drawn."""
        if self.section.objective.language:
            return sum(part.weight for part in self.batch)
        return objective * self.count / self.section.batch

    def losses(self, share: float, figures: Figures | None) -> Iterator[Tensor]:
        """The passes' parts of the general rows' mean loss."""
        own = sum(part.weight for part in self.batch)
        if figures is not None:
            figures[f"share of {self.name}"] = share
        for part in self.batch:
            loss = likelihood(self.forward, part) / own
            if figures is not None:
                figures[self.name] = figures.get(self.name, 0.0) + float(loss.detach())
            yield share * loss

    def shuffled(self, seed: int, epoch: int) -> np.ndarray:
        """The order of the rows in an epoch of theirs."""
        return np.random.default_rng([seed, epoch, OTHERS]).permutation(len(self.rows.lengths))
