"""One question and one answer: what ``alpaca``, ``prompt_completion`` and ``template`` have in common."""

from __future__ import annotations

from sevenfold.chat.conversation import Conversation, Message


def exchange(prompt: str, completion: str, system: str = "") -> Conversation:
    """A conversation of a system message, where there is one, a user's and an assistant's."""
    first = (Message("system", system),) if system else ()
    return Conversation((*first, Message("user", prompt), Message("assistant", completion)))
