"""Formats: how the columns of a row become a conversation. One file each; the file's name is its name in the recipe."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from sevenfold.chat.conversation import ROLES, Conversation
from sevenfold.errors import DataError
from sevenfold.registry import Registry
from sevenfold.schema import Component

Values = Mapping[str, Any]
HALF_PAIR = re.compile("[\ud800-\udfff]")
Role = Literal["system", "user", "assistant", "tool"]

ALIASES = {
    "human": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "developer": "system",
    "function": "tool",
    "function_call": "assistant",
    "observation": "tool",
}
"""Role names in use beside our own."""


class Unfit(Exception):
    """A row that can be read but not learnt from; it is dropped with this reason."""


class Format(Component):
    """One way in which rows hold conversations."""

    order: ClassVar[int] = 100
    """Formats are tried in this order when the format is found by columns; the more specific come first."""

    @abstractmethod
    def columns(self, values: Values) -> tuple[str, ...]:
        """The columns that :meth:`read` takes from such a row; empty when the row is not of this format."""

    @abstractmethod
    def read(self, values: Values) -> Conversation:
        """The conversation of a row.

        Raises:
            DataError: A column is missing or holds something that this format cannot hold.
            Unfit: The row cannot be learnt from.
        """

    def fields(self, values: Values) -> dict[str, str]:
        """What else of the columns that it reads goes on with the row, by name; most formats read nothing else.

        Raises:
            DataError: A column holds something that this format cannot hold.
            Unfit: The row cannot be learnt from.
        """
        return {}

    def settle(self, values: Values) -> Format:
        """The format that reads a source whose first row is ``values``: itself, unless it is found by columns."""
        return self


def column(values: Values, *names: str) -> str | None:
    """The first of some names that is a column."""
    for name in names:  # Every row comes by here: a generator would take twice as long.
        if name in values:
            return name
    return None


MAP_NAMES = "map your names with prepare.columns, for example columns: {your_name: prompt}"


def no_column(values: Values, name: str, next_step: str = MAP_NAMES) -> DataError:
    """The error for a column that is not there; the nearest of those that are is suggested."""
    return DataError(
        f"there is no column {name!r}",
        value=name,
        alternatives=list(values),
        next_step=next_step,
    )


def as_text(value: Any, name: str) -> str:
    """A cell as text; nothing is the empty text.

    Raises:
        DataError: The cell holds a list, an object or bytes.
        Unfit: The text has halves of surrogate pairs, which no encoding can write.
    """
    if value is None:
        return ""
    if isinstance(value, list | dict | bytes):
        raise DataError(f"the column {name!r} holds a {type(value).__name__}", expected="text")
    text = str(value)
    if HALF_PAIR.search(text):
        raise Unfit("broken_unicode")
    return text


def as_role(name: Any, roles: Mapping[str, str]) -> str:
    """Our name of a role.

    Args:
        name: The role as the row has it.
        roles: The user's own names, to ours.

    Raises:
        DataError: Nobody knows the role.
    """
    known = {**{role: role for role in ROLES}, **ALIASES, **roles}
    if not isinstance(name, str) or name.strip().lower() not in {key.lower() for key in known}:
        raise DataError(
            f"unknown role {name!r}",
            value=str(name),
            alternatives=known,
            next_step="map it in the format, for example format: {messages: {roles: {agent: assistant}}}",
        )
    return next(role for key, role in known.items() if key.lower() == name.strip().lower())


FORMATS = Registry(__name__, Format)
