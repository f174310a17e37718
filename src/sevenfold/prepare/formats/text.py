"""Text alone: the model learns to write it, nothing asks for it."""

from __future__ import annotations

from sevenfold.chat.conversation import Conversation, Message
from sevenfold.prepare.formats import Format, Values, as_text, no_column


class Text(Format):
    """The column ``text`` as one assistant message without a prompt."""

    order = 50

    def columns(self, values: Values) -> tuple[str, ...]:
        """``text``."""
        return ("text",) if "text" in values else ()

    def read(self, values: Values) -> Conversation:
        """The one message."""
        if "text" not in values:
            raise no_column(values, "text")
        return Conversation((Message("assistant", as_text(values["text"], "text")),))
