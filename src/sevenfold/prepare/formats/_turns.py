"""Lists of turns: what ``messages`` and ``sharegpt`` have in common."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sevenfold.chat.conversation import Message
from sevenfold.errors import DataError
from sevenfold.prepare.formats import Unfit, Values, as_role, as_text


def as_turns(value: Any) -> list[Any] | None:
    """A cell as a list of turns: also a list written as JSON text (CSV knows no lists), or nothing; else None."""
    if value is None:
        return []
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except json.JSONDecodeError:
            return None
    return value if isinstance(value, list) else None


def has_turns(value: Any, key: str) -> bool:
    """Whether a cell is a list whose first turn is an object with this key."""
    turns = as_turns(value)
    first = turns[0] if turns else None
    return isinstance(first, dict) and key in first


def list_column(values: Values, names: tuple[str, ...], key: str) -> str | None:
    """The column of these that holds turns with this key; an empty list counts in the first, the format's own."""
    filled = next((name for name in names if has_turns(values.get(name), key)), None)
    own = names[0] if names[0] in values and as_turns(values[names[0]]) == [] else None
    return filled or own


def turns_of(values: Values, name: str) -> list[Any]:
    """The turns of a column.

    Raises:
        DataError: The column holds no list.
    """
    turns = as_turns(values[name])
    if turns is None:
        kind = type(values[name]).__name__
        raise DataError(f"the column {name!r} holds a {kind}", expected="a list of turns")
    return turns


def as_message(turn: Any, role_key: str, content_key: str, roles: Mapping[str, str]) -> Message:
    """A message from a turn.

    Raises:
        DataError: The turn has no role or no content, or a role that nobody knows.
        Unfit: The turn calls tools, which a message of text cannot hold.
    """
    if not isinstance(turn, dict) or role_key not in turn:
        raise DataError(f"a turn without {role_key!r}: {str(turn)[:80]}", expected=f"{role_key} and {content_key}")
    if turn.get("tool_calls"):
        raise Unfit("tool_calls")
    if content_key not in turn:
        raise DataError(
            f"a turn without {content_key!r}",
            value=content_key,
            alternatives=turn,
            expected=f"{role_key}, {content_key}",
        )
    role = as_role(turn[role_key], roles)
    return Message(role, content_text(turn[content_key], content_key), as_weight(turn.get("weight")))


def as_weight(weight: Any) -> float:
    """A turn's weight in the loss; 1 when none is given.

    Raises:
        DataError: It is not a number from 0 up.
    """
    if weight is None:
        return 1.0
    if not isinstance(weight, int | float) or not 0 <= weight < float("inf"):
        raise DataError(f"the weight {weight!r} of a turn is not a number from 0 up", expected="0, 1, or between")
    return float(weight)


def content_text(content: Any, name: str) -> str:
    """A turn's content as text; a list of text parts is joined.

    Raises:
        Unfit: A part is no text (an image, audio).
    """
    if not isinstance(content, list):
        return as_text(content, name)
    if any(not isinstance(part, dict) or part.get("type") != "text" for part in content):
        raise Unfit("parts_that_are_not_text")
    return "".join(as_text(part.get("text"), name) for part in content)
