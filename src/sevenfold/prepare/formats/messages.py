"""Lists of ``role`` and ``content``: OpenAI's and Hugging Face's form."""

from __future__ import annotations

from pydantic import Field

from sevenfold.chat.conversation import Conversation
from sevenfold.prepare.formats import Format, Role, Values, column, no_column
from sevenfold.prepare.formats._turns import as_message, has_turns, list_column, turns_of

LISTS = ("messages", "conversations", "conversation")


class Messages(Format):
    """One column ``messages``, or ``prompt`` and ``completion`` that are lists of messages; ``weight`` is kept."""

    order = 10
    roles: dict[str, Role] = Field(
        default_factory=dict, description="Your names of roles to system, user, assistant or tool."
    )

    def columns(self, values: Values) -> tuple[str, ...]:
        """``messages``, or ``prompt`` and ``completion``."""
        whole = list_column(values, LISTS, "role")
        if whole:
            return (whole,)
        pair = ("prompt", "completion")
        return pair if all(has_turns(values.get(name), "role") for name in pair) else ()

    def read(self, values: Values) -> Conversation:
        """The messages in order."""
        names = self.columns(values) or tuple(filter(None, [column(values, *LISTS)]))
        if not names:
            raise no_column(values, "messages")
        turns = [turn for name in names for turn in turns_of(values, name)]
        return Conversation(tuple(as_message(turn, "role", "content", self.roles) for turn in turns))
