"""The format is found by the first row's columns."""

from __future__ import annotations

from sevenfold.chat.conversation import Conversation
from sevenfold.errors import DataError
from sevenfold.prepare.formats import FORMATS, Format, Values
from sevenfold.schema import build


class Auto(Format):
    """The first format, the most specific first, whose columns are there."""

    def columns(self, values: Values) -> tuple[str, ...]:
        """The columns of the format that is found."""
        return self.settle(values).columns(values)

    def read(self, values: Values) -> Conversation:
        """The row in the format that is found."""
        return self.settle(values).read(values)

    def fields(self, values: Values) -> dict[str, str]:
        """What else the format that is found reads."""
        return self.settle(values).fields(values)

    def settle(self, values: Values) -> Format:
        """The format that is found.

        Raises:
            DataError: No format reads such columns.
        """
        for candidate in candidates():
            if candidate.columns(values):
                return candidate
        raise DataError(
            f"no format is known for the columns {', '.join(values) or '(none)'}",
            expected="messages; conversations; instruction and output; prompt and completion; chosen and rejected; "
            "text",
            alternatives=[name for name in FORMATS.names() if name != "auto"],
            next_step="map your columns, columns: {your_name: prompt, your_other: completion}, or write "
            "format: {template: {prompt: '{your_name}', completion: '{your_other}'}}",
        )


def candidates() -> list[Format]:
    """The formats that need no settings, in the order in which they are tried."""
    kinds = [FORMATS.find(name) for name in FORMATS.names()]
    free = [kind for kind in kinds if not any(field.is_required() for field in kind.model_fields.values())]
    others = (build(kind, {}, FORMATS.name_of(kind)) for kind in free if kind is not Auto)
    return sorted(others, key=lambda candidate: candidate.order)
