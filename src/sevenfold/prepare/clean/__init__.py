"""Cleaning steps: each passes a row on, changes it, or drops it with a reason. One file each."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace

from sevenfold.chat.conversation import Conversation
from sevenfold.prepare.dataset import REJECTED, Row
from sevenfold.registry import Registry
from sevenfold.schema import Component


@dataclass(frozen=True, slots=True)
class Dropped:
    """A row that does not go on.

    Args:
        reason: One word of the report: ``empty_reply``, ``duplicate``.
    """

    reason: str


Outcome = Row | Dropped
"""What a step makes of a row: the same object when nothing changed."""


class Step(Component):
    """One cleaning step."""

    @abstractmethod
    def start(self) -> Callable[[Row], Outcome]:
        """The function for one pass over the rows; what it remembers (rows seen) lives as long as the pass."""


def rewritten(row: Row, change: Callable[[str], str]) -> Row:
    """The row with every message's text changed, and that of a rejected answer; the same object when no text is."""
    messages = row.conversation.messages
    changed = tuple(replace(message, content=change(message.content)) for message in messages)
    fields = {name: change(text) if name == REJECTED else text for name, text in row.fields.items()}
    if changed == messages and fields == row.fields:
        return row
    return replace(row, conversation=Conversation(changed), fields=fields)


STEPS = Registry(__name__, Step)
DEFAULT = ("unicode", "whitespace", "empty", "length", "duplicates")
"""The steps that are taken when the recipe names none, in order."""


def default_steps() -> list[Step]:
    """The default steps with their default settings."""
    return [STEPS.find(name)() for name in DEFAULT]
