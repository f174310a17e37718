"""System turns in front of what the user says next, for models whose template knows no such turn (Gemma 2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sevenfold.chat.conversation import Conversation, Message
from sevenfold.prepare.clean import Outcome, Single
from sevenfold.prepare.dataset import Row


class FoldSystem(Single):
    """Each system turn becomes the beginning of the user's next one, a blank line between them.

    A system turn that no user's turn follows stays as it is.
    """

    def start(self) -> Callable[[Row], Outcome]:
        """Fold every row."""
        return fold


def fold(row: Row) -> Row:
    """The row with its system turns folded; the same object when it has none."""
    found: list[Message] = []
    waiting: list[Message] = []
    for message in row.conversation.messages:
        if message.role == "system":
            waiting.append(message)
        elif message.role == "user":
            found.append(replace(message, content="\n\n".join(part.content for part in (*waiting, message))))
            waiting = []
        else:
            found += [*waiting, message]
            waiting = []
    folded = (*found, *waiting)
    return row if folded == row.conversation.messages else replace(row, conversation=Conversation(folded))
