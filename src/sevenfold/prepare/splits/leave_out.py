"""Leave one out: one group, or one question, is the test; with each in turn every row is tested once."""

from __future__ import annotations

from collections import Counter

from pydantic import Field

from sevenfold.errors import DataError
from sevenfold.prepare.splits import Index, Splitter
from sevenfold.prepare.splits._shares import Shares, U, by_threshold, position
from sevenfold.prepare.splits.grouped import united


class LeaveOut(Splitter):
    """Leave-one-out: the test is one group of a column, or without a column one question with all its rows.

    There are as many runs as groups: `--set prepare.split.how.leave_out.held_out=2` tests on the second. Groups that
    share a question are one. `split.test` does not count; of the others `split.validation` is held out.
    """

    main = "group"
    group: str | None = Field(None, description="The column whose values are the groups; not given: each question is.")
    held_out: int | str = Field(
        1, description="Which group is the test: its number from 1 (by name; questions by hash), or its name."
    )

    @property
    def column(self) -> str | None:
        """The column of the groups."""
        return self.group

    def wanted(self, shares: Shares) -> dict[str, float]:
        """One row at least, and the validation rows among the others."""
        return {"test": 1, **({"validation": shares.validation} if shares.validation else {})}

    def rounds(self, index: Index) -> int:
        """A run for each group, or for each question."""
        return len(set(index.openings) if self.group is None else set(united(index).values()))

    def sides(self, index: Index, shares: Shares, seed: int) -> list[str]:
        """The side of each row's group or question.

        Raises:
            DataError: There is no such group.
        """
        units: list[str] | list[int]
        if self.group is not None:
            groups = united(index)
            units = [groups[label] for label in index.labels]
            left_out: str | int = self.chosen(sorted(set(units)), groups)
        else:
            units = list(index.openings)
            left_out = self.numbered(sorted(set(units), key=lambda unit: (position(seed, unit), unit)))
        sizes = Counter(unit for unit in units if unit != left_out)
        rest = by_threshold(sizes, Shares(shares.validation, 0), seed)
        return [rest.get(unit, "test") for unit in units]

    def chosen(self, names: list[str], groups: dict[str, str]) -> str:
        """The group by its number, or by its name."""
        name = str(self.held_out)
        if name in groups:
            return groups[name]
        if isinstance(self.held_out, int):
            return self.numbered(names)
        raise DataError(
            f"no row has {name!r} in the column {self.group!r}",
            where="prepare.split.how.leave_out",
            value=name,
            alternatives=names[:50],
        )

    def numbered(self, units: list[U]) -> U:
        """The unit with the number."""
        if not isinstance(self.held_out, int) or not 1 <= self.held_out <= len(units):
            raise DataError(
                f"held_out is {self.held_out!r}, and there are {len(units)} groups or questions",
                where="prepare.split.how.leave_out",
                expected=f"a number from 1 to {len(units)}",
            )
        return units[self.held_out - 1]
