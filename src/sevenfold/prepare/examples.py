"""What the cleaning steps did to the first rows that they changed: before and after, for a person."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sevenfold.prepare.dataset import Row

MOST = 3
"""Examples of a step."""
BEFORE, LONG = 60, 240
"""Characters in front of the first change, and of an example in all."""


class Examples:
    """The first rows that each step changed; what other steps mask is masked here too."""

    def __init__(self) -> None:
        self.by: dict[str, list[tuple[Row, Row]]] = {}

    def keep(self, step: str, before: Row, after: Row) -> None:
        """Remember a changed row while there are few."""
        kept = self.by.setdefault(step, [])
        if len(kept) < MOST:
            kept.append((before, after))

    def merge(self, later: Examples) -> None:
        """Add those of rows that come behind."""
        for step, pairs in later.by.items():
            for pair in pairs:
                self.keep(step, *pair)

    def as_json(self, hide: Callable[[Any], Any]) -> dict[str, list[dict[str, str]]]:
        """Step to its examples, each ``{origin, before, after}``.

        Args:
            hide: What may be shown of a text.
        """
        return {step: [shown(*pair, hide) for pair in pairs] for step, pairs in self.by.items()}


def shown(before: Row, after: Row, hide: Callable[[Any], Any]) -> dict[str, str]:
    """The first text of a row that is another now, around the first change."""
    was, now = str(changed(before, after)[0]), str(changed(before, after)[1])
    hidden_was, hidden_now = str(hide(was)), str(hide(now))
    place = max(0, parting(hidden_was, hidden_now) - BEFORE)
    if hidden_was == hidden_now:
        # Only what may not be shown was changed: the place is that of the mask.
        place = max(0, parting(was, now) - BEFORE)
    return {"origin": before.origin, "before": cut(hidden_was, place), "after": cut(hidden_now, place)}


def changed(before: Row, after: Row) -> tuple[str, str]:
    """The first text that differs: of a message, else of a column, which stands there with its name."""
    for one, other in zip(before.conversation.messages, after.conversation.messages, strict=False):
        if one.content != other.content:
            return one.content, other.content
    if len(before.conversation.messages) != len(after.conversation.messages):
        return written(before), written(after)
    for name in {**before.fields, **after.fields}:
        was, now = before.fields.get(name), after.fields.get(name)
        if was != now:
            return ("" if was is None else f"{name}: {was}"), ("" if now is None else f"{name}: {now}")
    return written(before), written(after)


def written(row: Row) -> str:
    """A conversation as text."""
    return "\n".join(f"{message.role}: {message.content}" for message in row.conversation.messages)


def parting(one: str, other: str) -> int:
    """Where two texts begin to differ."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (left, right) in pairs if left != right), min(len(one), len(other)))


def cut(text: str, place: int) -> str:
    """A part of a text, with marks where more stands before and behind it."""
    part = text[place : place + LONG]
    return f"{'…' * (place > 0)}{part}{'…' * (place + LONG < len(text))}"
