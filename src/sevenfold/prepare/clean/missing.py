"""Missing values in the columns that are kept with a row: dropped, kept as empty, or filled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from pydantic import Field, model_validator

from sevenfold.errors import DataError
from sevenfold.prepare.clean import Dropped, Outcome, Single
from sevenfold.prepare.dataset import DESIRABLE, REJECTED, Row

JUDGED = (REJECTED, DESIRABLE)
MISSING = ("", "na", "n/a", "nan", "null", "none", "#n/a")
"""How a missing value is written in tables, in any case."""


class Missing(Single):
    """Rows without a value in a column are dropped, kept with an empty value, or given one."""

    main = "policy"
    policy: Literal["drop", "keep", "fill"] = Field(
        "drop", description="drop: the row goes; keep: the value is empty, however it was written; fill: it is fill."
    )
    columns: list[str] | None = Field(None, description="Which kept columns; not given: all.")
    fill: str | None = Field(None, description="The value that fill puts in.")
    written: list[str] = Field(list(MISSING), description="What counts as missing, in any case, without spaces around.")

    @model_validator(mode="after")
    def filled(self) -> Missing:
        """Refuse to fill with nothing, or a value that is put nowhere."""
        if self.policy == "fill" and self.fill is None:
            raise ValueError("to fill needs a value; give it with fill")
        if self.policy != "fill" and self.fill is not None:
            raise ValueError(f"fill = {self.fill!r} is not used by the policy {self.policy}")
        return self

    def start(self) -> Callable[[Row], Outcome]:
        """Look at every row."""
        written = {word.strip().casefold() for word in self.written}
        return lambda row: self.treat(row, written)

    def treat(self, row: Row, written: set[str]) -> Outcome:
        """What the policy makes of a row.

        Raises:
            DataError: The row has no such column.
        """
        for name in self.columns or ():
            if name not in row.fields:
                raise DataError(
                    f"the row keeps no column {name!r}",
                    where=row.origin,
                    value=name,
                    alternatives=row.fields,
                    next_step="correct columns of the step missing, or name the column in prepare.keep",
                )
        # An answer "None" is an answer: what is judged is no column like others, unless it is named.
        names = [name for name in row.fields if name not in JUDGED] if self.columns is None else self.columns
        lost = [name for name in names if row.fields[name].strip().casefold() in written]
        if lost and self.policy == "drop":
            return Dropped("missing_value")
        fields = row.fields | dict.fromkeys(lost, self.fill or "")
        return row if fields == row.fields else replace(row, fields=fields)
