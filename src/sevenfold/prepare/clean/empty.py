"""Empty turns: nothing is learnt from a reply or a prompt that says nothing."""

from __future__ import annotations

from collections.abc import Callable

from sevenfold.prepare.clean import Dropped, Outcome, Single
from sevenfold.prepare.dataset import Row


class Empty(Single):
    """Rows with an empty reply or an empty prompt are dropped."""

    def start(self) -> Callable[[Row], Outcome]:
        """Look at every turn of user and assistant."""
        return check


def check(row: Row) -> Outcome:
    """Drop the row if a user's or an assistant's turn is empty."""
    silent = {message.role for message in row.conversation.messages if not message.content.strip()}
    if "assistant" in silent:
        return Dropped("empty_reply")
    if "user" in silent:
        return Dropped("empty_prompt")
    return row
