"""How the rows are cut: into folds, or one out at a time."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sevenfold.errors import RecipeError
from sevenfold.prepare.splits.folds import Folds
from sevenfold.prepare.splits.leave_out import LeaveOut
from sevenfold.recipe import Recipe

USUAL = 5
"""Folds where nobody says how many (Hastie et al. 2009, 7.10: five or ten)."""
ALL_ROWS = 1_000_000_000
"""More rows than a fold has: all are scored."""


@dataclass(frozen=True)
class Way:
    """How the rows are cut.

    Args:
        kind: ``folds``, or ``leave_out``.
        count: How many folds; None where the rows say it.
        column: Whose values have the same shares in each fold; or, of ``leave_out``, whose values are left out.
    """

    kind: Literal["folds", "leave_out"]
    count: int | None = None
    column: str | None = None

    @property
    def label(self) -> str:
        """What stands behind the recipe's name."""
        return f"folds-{self.count}" if self.kind == "folds" else "leave-one-out"

    def name(self, number: int) -> str:
        """A round's run, from 1."""
        return f"{'fold' if self.kind == 'folds' else 'left'}-{number}"

    def settings(self, number: int, rows: int | None) -> list[str]:
        """What a round sets, as ``--set`` takes it.

        Args:
            number: Which round, from 1.
            rows: Held-out rows to score at most; None: all.
        """
        fields: dict[str, int | str | None] = {"held_out": number}
        if self.kind == "folds":
            fields |= {"count": self.count, "by": self.column}
        else:
            fields |= {"group": self.column}
        how = json.dumps({self.kind: fields}, ensure_ascii=False)
        return [f"prepare.split.how={how}", f"evaluate.rows={rows or ALL_ROWS}"]


def way_of(recipe: Recipe, count: int | None, leave_one_out: bool, column: str | None) -> Way:
    """What is asked for; what is not said is as the recipe splits, or five folds.

    Args:
        recipe: The recipe.
        count: How many folds.
        leave_one_out: Whether one is left out at a time instead.
        column: Of which column.

    Raises:
        RecipeError: Both are asked for.
    """
    how = recipe.prepare.split.how
    if leave_one_out and count is not None:
        raise RecipeError(
            "--folds and --leave-one-out are both given",
            expected="one of them",
            next_step=f"sevenfold folds RECIPE --folds {count}",
        )
    if leave_one_out or (count is None and isinstance(how, LeaveOut)):
        return Way("leave_out", None, column or (how.group if isinstance(how, LeaveOut) else None))
    given = how if isinstance(how, Folds) else None
    return Way("folds", count or (given.count if given else USUAL), column or (given.by if given else None))


def check_number(way: Way, rounds: int, limit: int, where: Path) -> None:
    """Refuse more trainings than anybody meant to start.

    Raises:
        RecipeError: There are more rounds than ``limit``.
    """
    if rounds > limit:
        what = "questions" if way.column is None else f"values of {way.column!r}"
        raise RecipeError(
            f"leaving one out at a time means {rounds} trainings, one for each of the {rounds} {what}",
            where=str(where),
            expected=f"at most {limit} (--limit)",
            next_step=f"--folds 10 trains ten times and scores the same rows; or --limit {rounds}",
        )
