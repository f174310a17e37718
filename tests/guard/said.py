"""Short ways to write what the tests of guards need."""

from __future__ import annotations

from typing import Any

from sevenfold.chat.conversation import Conversation, Message
from sevenfold.guard import GUARDS, Guard
from sevenfold.schema import Chosen


def guard(value: Any) -> Guard:
    """A guard as a recipe writes it."""
    found = Chosen(GUARDS).choose(value)
    assert isinstance(found, Guard)
    return found


def talk(prompt: str, *more: str) -> Conversation:
    """A conversation in which user and assistant take turns."""
    roles = ("user", "assistant")
    return Conversation(tuple(Message(roles[place % 2], text) for place, text in enumerate((prompt, *more))))
