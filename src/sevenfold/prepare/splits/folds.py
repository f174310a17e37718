"""Folds: the rows in equal parts, of which one is the test; with each part in turn every row is tested once."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import repeat

from pydantic import Field, model_validator

from sevenfold.prepare.splits import Index, Splitter
from sevenfold.prepare.splits._shares import Shares, by_threshold, position


class Folds(Splitter):
    """K-fold cross-validation, a fold a run: `--set prepare.split.how.folds.held_out=2` tests on the second.

    The folds have the same numbers of rows, as near as whole questions allow. `split.test` does not count; of the
    other folds `split.validation` is held out. Rows that are added may move others to another fold.
    """

    main = "count"
    count: int = Field(5, ge=2, description="How many folds.")
    held_out: int = Field(1, ge=1, description="Which fold is the test, from 1.")
    by: str | None = Field(
        None, description="A column whose values have the same shares in each fold; not given: none."
    )

    @model_validator(mode="after")
    def one_of_them(self) -> Folds:
        """Refuse a fold that is not there."""
        if self.held_out > self.count:
            raise ValueError(f"held_out {self.held_out} is none of {self.count} folds")
        return self

    @property
    def column(self) -> str | None:
        """The column of the strata."""
        return self.by

    def wanted(self, shares: Shares) -> dict[str, float]:
        """One fold, and the validation rows among the others."""
        return rest_shares(1 / self.count, shares)

    def rounds(self, index: Index) -> int:
        """A run for each fold."""
        return self.count

    def sides(self, index: Index, shares: Shares, seed: int) -> list[str]:
        """The side of each row's opening."""
        folds = self.folds(index, seed)
        sizes = Counter(opening for opening in index.openings if folds[opening] != self.held_out)
        rest = by_threshold(sizes, Shares(shares.validation, 0), seed)
        return [rest.get(opening, "test") for opening in index.openings]

    def folds(self, index: Index, seed: int) -> dict[int, int]:
        """The fold of each opening, from 1.

        The largest first, each goes to the fold that has the fewest rows of its stratum, then of all.
        """
        sizes = Counter(index.openings)
        stratum: dict[int, str] = {}
        for opening, label in zip(index.openings, index.labels if self.by else repeat(""), strict=False):
            stratum[opening] = min(label, stratum.get(opening, label))
        line = sorted(sizes, key=lambda opening: (-sizes[opening], stratum[opening], position(seed, opening), opening))
        within: defaultdict[str, list[int]] = defaultdict(lambda: [0] * self.count)
        total = [0] * self.count
        found: dict[int, int] = {}
        for opening in line:
            rows = within[stratum[opening]]
            fold = min(range(self.count), key=lambda one, rows=rows: (rows[one], total[one], one))  # type: ignore[misc]
            rows[fold] += sizes[opening]
            total[fold] += sizes[opening]
            found[opening] = fold + 1
        return found


def rest_shares(test: float, shares: Shares) -> dict[str, float]:
    """The shares of all rows where the test is chosen first and a fraction for validation is one of the rest."""
    validation = shares.validation if shares.validation >= 1 else shares.validation * (1 - test)
    return {"test": test, **({"validation": validation} if validation else {})}
