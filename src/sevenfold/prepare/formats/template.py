"""Your own wording around your own columns."""

from __future__ import annotations

from collections.abc import Iterator
from string import Formatter

from pydantic import Field, field_validator

from sevenfold.chat.conversation import Conversation
from sevenfold.prepare.formats import Format, Values, as_text, no_column
from sevenfold.prepare.formats._exchange import exchange


class Template(Format):
    """Texts with ``{column}`` fields; ``{{`` and ``}}`` are braces."""

    prompt: str = Field(description="What the user says, for example 'Translate: {source}'.")
    completion: str = Field(description="What the assistant says, for example '{target}'.")
    system: str = Field("", description="The system message; none when empty.")

    @field_validator("prompt", "completion", "system")
    @classmethod
    def is_template(cls, text: str) -> str:
        """Refuse braces that do not pair and fields that are more than a column's name."""
        for _, field, specification, conversion in Formatter().parse(text):
            if field == "" or specification or conversion:
                raise ValueError("a field is a column's name in braces, {column}; write {{ and }} for plain braces")
        return text

    def columns(self, values: Values) -> tuple[str, ...]:
        """The columns that the texts name."""
        named = (field for text in (self.system, self.prompt, self.completion) for _, field in pieces(text))
        return tuple(dict.fromkeys(field for field in named if field is not None))

    def read(self, values: Values) -> Conversation:
        """The texts with their fields filled."""
        return exchange(filled(self.prompt, values), filled(self.completion, values), filled(self.system, values))


def pieces(text: str) -> Iterator[tuple[str, str | None]]:
    """The literal parts of a template, each with the column behind it."""
    for literal, field, _, _ in Formatter().parse(text):
        yield literal, field


def filled(text: str, values: Values) -> str:
    """A template with its fields replaced by the row's cells.

    Raises:
        DataError: A column is not there.
    """
    parts = []
    for literal, field in pieces(text):
        if field is not None and field not in values:
            raise no_column(values, field)
        parts += [literal, "" if field is None else as_text(values[field], field)]
    return "".join(parts)
