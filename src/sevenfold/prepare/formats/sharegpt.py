"""ShareGPT: ``conversations`` with ``from`` and ``value``."""

from __future__ import annotations

from pydantic import Field

from sevenfold.chat.conversation import Conversation, Message
from sevenfold.prepare.formats import Format, Role, Values, as_text, column, no_column
from sevenfold.prepare.formats._turns import as_message, list_column, turns_of

LISTS = ("conversations", "conversation")


class ShareGpt(Format):
    """Turns of human, gpt, system and tool; a column ``system`` stands before them."""

    order = 20
    roles: dict[str, Role] = Field(
        default_factory=dict, description="Your names of roles to system, user, assistant or tool."
    )

    def columns(self, values: Values) -> tuple[str, ...]:
        """The list of turns, and ``system`` where there is one."""
        turns = list_column(values, LISTS, "from")
        return tuple(name for name in (turns, "system") if name in values) if turns else ()

    def read(self, values: Values) -> Conversation:
        """The turns in order."""
        name = column(values, *LISTS)
        if name is None:
            raise no_column(values, "conversations")
        turns = [as_message(turn, "from", "value", self.roles) for turn in turns_of(values, name)]
        system = as_text(values.get("system"), "system")
        return Conversation((*([Message("system", system)] if system else []), *turns))
