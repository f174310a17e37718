"""Length: rows that are too short or too long, in characters."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import Field, model_validator

from sevenfold.prepare.clean import Dropped, Outcome, Single
from sevenfold.prepare.dataset import Row


class Length(Single):
    """Rows whose messages together are outside the limits are dropped; a plain number is the maximum."""

    main = "maximum"
    minimum: int = Field(1, ge=0, description="Fewest characters of all messages together.")
    maximum: int | None = Field(None, ge=1, description="Most characters of all messages together; none: no limit.")

    @model_validator(mode="after")
    def in_order(self) -> Length:
        """Refuse limits that no row can meet."""
        if self.maximum is not None and self.maximum < self.minimum:
            raise ValueError(f"the maximum {self.maximum} is below the minimum {self.minimum}")
        return self

    def start(self) -> Callable[[Row], Outcome]:
        """Measure every row."""
        return self.check

    def check(self, row: Row) -> Outcome:
        """Drop the row if it is outside the limits."""
        length = sum(len(message.content) for message in row.conversation.messages)
        if length < self.minimum:
            return Dropped("too_short")
        if self.maximum is not None and length > self.maximum:
            return Dropped("too_long")
        return row
