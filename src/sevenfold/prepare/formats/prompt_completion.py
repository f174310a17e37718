"""Two columns of text: what is asked and what is answered."""

from __future__ import annotations

from sevenfold.chat.conversation import Conversation
from sevenfold.prepare.formats import Format, Values, as_text, column, no_column
from sevenfold.prepare.formats._exchange import exchange

PROMPTS = ("prompt", "question", "query", "input", "user")
COMPLETIONS = ("completion", "answer", "response", "reply", "output", "assistant")
SYSTEMS = ("system", "system_prompt")


class PromptCompletion(Format):
    """``prompt`` and ``completion``, or ``question`` and ``answer``, or their like; ``system`` where there is one."""

    order = 40

    def columns(self, values: Values) -> tuple[str, ...]:
        """The two columns, and ``system`` where there is one."""
        pair = (column(values, *PROMPTS), column(values, *COMPLETIONS))
        return tuple(filter(None, (*pair, column(values, *SYSTEMS)))) if all(pair) else ()

    def read(self, values: Values) -> Conversation:
        """The user asks, the assistant answers."""
        asked, answered, system = column(values, *PROMPTS), column(values, *COMPLETIONS), column(values, *SYSTEMS)
        if asked is None:
            raise no_column(values, "prompt")
        if answered is None:
            raise no_column(values, "completion")
        first = as_text(values[system], system) if system else ""
        return exchange(as_text(values[asked], asked), as_text(values[answered], answered), first)
