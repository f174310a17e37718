"""Group DRO: the group that is worst off counts most (Sagawa et al. 2020, arXiv 1911.08731)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import Field

from sevenfold.errors import DataError, RecipeError
from sevenfold.tune.beside import Start, Term, Working

if TYPE_CHECKING:
    from sevenfold.prepare.dataset import Dataset, Row
    from sevenfold.tune.section import TuneSection

MOST = 64
"""Groups that can be told apart: a column with more values is a name or a number, and no group."""


class Fairness(Term):
    """``sum_g q_g L_g`` in place of the mean over rows: L_g is the objective's mean loss over a step's rows of group g.

    The weights of the groups start equal, and behind every step ``q_g <- q_g exp(rate L_g)``, divided by their sum: a
    group whose loss stays high comes to count more, until the largest loss of all groups cannot be lowered (the online
    algorithm of the paper; the weights that a step uses are those before it). A group that has no row in a step adds
    nothing. ``rate: 0`` keeps the groups equal, whatever their sizes.

    Groups are the values of a column of the rows. The record has the validation loss of each, from before the first
    step on, and names the worst. Use it where a mean over all rows hides that few of them are served badly; the paper
    found that it needs strong regularisation (early stopping, weight decay) to hold on rows that training never saw.
    """

    main: ClassVar[str | None] = "by"
    column: ClassVar[str] = "group"
    by: str = Field(description="The column that says a row's group; prepare.keep must have kept it.")
    rate: float = Field(0.01, ge=0, description="How fast the weights of groups follow their losses, per step and nat.")
    groups: list[str] = Field([], description="The groups; empty: the values that stand in the training rows.")

    def check(self, section: TuneSection) -> None:
        """Refuse objectives whose loss is no sum over rows that stay what they are, and a second fairness.

        Raises:
            RecipeError: A group's loss has no meaning.
        """
        objective = section.objective
        why = "compares rows with one another" if objective.joint else "makes what is learnt anew at every step"
        if objective.joint or objective.on_policy:
            raise RecipeError(
                f"the objective {why}, so that a row has no loss of its own that its group's could be made of",
                where="tune.beside: fairness",
                next_step="leave it out, or balance the groups in the rows themselves",
            )
        if sum(isinstance(term, Fairness) for term in section.beside) > 1:
            raise RecipeError("fairness stands in tune.beside twice", next_step="keep one of the two")

    def settled(self, dataset: Dataset) -> Self:
        """With the groups of the training rows.

        Raises:
            DataError: They have no such column, or too many values in it.
        """
        if self.groups:
            return self
        found = sorted({self.group(row) for row in dataset.rows("train")})
        if len(found) > MOST:
            raise DataError(
                f"the column {self.by!r} has {len(found):,} values in the training rows",
                where="tune.beside: fairness",
                expected=f"at most {MOST} groups",
            )
        return self.model_copy(update={"groups": found})

    def group(self, row: Row) -> str:
        """The group of a row.

        Raises:
            DataError: The row does not say it.
        """
        if self.by not in row.fields:
            raise DataError(
                f"the row has no column {self.by!r}, by which tune.beside: fairness tells groups apart",
                where=row.origin,
                value=self.by,
                alternatives=list(row.fields),
                next_step="name a column of the rows, and keep it with prepare.keep",
            )
        return row.fields[self.by]

    def mark(self, row: Row) -> float:
        """The number of the row's group.

        Raises:
            DataError: The row does not say its group, or one that training knows nothing of.
        """
        group = self.group(row)
        if group not in self.groups:
            raise DataError(
                f"the row's {self.by} is {group!r}, a group that no training row has",
                where=row.origin,
                value=group,
                alternatives=self.groups,
                next_step="add training rows of it, or take it out of the held-out rows",
            )
        return float(self.groups.index(group))

    def every(self) -> list[str]:
        """The groups' names behind the column's."""
        return [f"{self.by} {group}" for group in self.groups]

    def start(self, at: Start, name: str) -> Working:
        """All groups count the same."""
        from sevenfold.tune.beside._groups import Groups

        return Groups(name, self.every(), self.rate)
