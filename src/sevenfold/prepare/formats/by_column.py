"""Another format for each value of a column: tasks with wordings of their own in one data set."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from pydantic import Field, model_validator

from sevenfold.chat.conversation import Conversation
from sevenfold.errors import DataError, RecipeError
from sevenfold.prepare.formats import FORMATS, Format, Values, as_text, no_column
from sevenfold.schema import Chosen


class ByColumn(Format):
    """The column says which format a row is read in, for example a template with the task's own tag."""

    column: str = Field("task", description="The column whose value chooses the format; it is kept with the row.")
    formats: dict[str, Any] = Field(
        min_length=1,
        description='Formats by the value: {chat: messages, sum: {template: {prompt: "[sum] {text}", ...}}}.',
    )

    @model_validator(mode="after")
    def known(self) -> ByColumn:
        """Refuse values that choose no format."""
        try:
            _ = self.chosen
        except RecipeError as error:
            raise ValueError(str(error)) from error
        return self

    @cached_property
    def chosen(self) -> dict[str, Format]:
        """The formats by the column's value."""
        return {value: Chosen(FORMATS).choose(written) for value, written in self.formats.items()}  # type: ignore[misc]

    def of(self, values: Values) -> Format:
        """The format of a row.

        Raises:
            DataError: The row has no such column, or a value that has no format.
        """
        if self.column not in values:
            raise no_column(values, self.column, "correct prepare.format.by_column.column")
        value = as_text(values[self.column], self.column)
        if value not in self.chosen:
            raise DataError(
                f"the column {self.column!r} says {value!r}, which has no format",
                value=value,
                alternatives=self.chosen,
                next_step=f"add it to prepare.format.by_column.formats: {{{value}: messages}}",
            )
        return self.chosen[value].settle(values)

    def columns(self, values: Values) -> tuple[str, ...]:
        """The columns that the row's own format reads."""
        return self.of(values).columns(values)

    def read(self, values: Values) -> Conversation:
        """The conversation as the row's own format reads it."""
        return self.of(values).read(values)

    def fields(self, values: Values) -> dict[str, str]:
        """What else the row's own format reads."""
        return self.of(values).fields(values)
