"""Replay: general rows in every step (Robins 1995, Connection Science 7:2; Scialom et al. 2022, arXiv 2205.12393)."""

from __future__ import annotations

from pydantic import Field

from sevenfold.tune.beside import Start, Working
from sevenfold.tune.beside._general import General


class Replay(General):
    """``share`` of a step's rows are general ones, learnt as language beside what the objective asks of its own.

    Beside an objective that is a likelihood itself (``sft``) the loss is exactly that of a batch in which these rows
    stand: the mean over the targets of both. Beside any other it is ``(1 - share) * objective + share * L``, L being
    the mean negative log-likelihood of the general rows' targets. Every row is drawn once before any comes again, as a
    function of the seed and the step.

    The surest way against forgetting where rows like those of the original training can be had; a few per cent go a
    long way. It costs their share of the time.
    """

    share: float = Field(0.1, gt=0, lt=1, description="General rows among all rows of a step; at least one row.")

    def count(self, batch: int) -> int:
        """General rows of a step."""
        return max(1, round(batch * self.share / (1 - self.share)))

    def rows_share(self, batch: int) -> float:
        """General rows for each of the objective's."""
        return self.count(batch) / batch

    def start(self, at: Start, name: str) -> Working:
        """Encode the rows."""
        count, batch = self.count(at.section.batch), at.section.batch
        at.entry.note(
            f"{name}: {count} general rows beside {batch} in every step, a share of {count / (count + batch):.0%}"
        )
        from sevenfold.tune.beside._replayed import Replayed

        return Replayed(name, self.encoded(at), count, at)
