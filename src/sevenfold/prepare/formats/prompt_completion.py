"""Two columns of text: what is asked and what is answered."""

from __future__ import annotations

from functools import lru_cache

from sevenfold.chat.conversation import Conversation
from sevenfold.prepare.formats import Format, Values, as_text, column, no_column
from sevenfold.prepare.formats._exchange import exchange

PROMPTS = ("prompt", "question", "query", "input", "user")
COMPLETIONS = ("completion", "answer", "response", "reply", "output", "assistant")
SYSTEMS = ("system", "system_prompt")


@lru_cache(64)
def found(names: tuple[str, ...]) -> tuple[str | None, str | None, str | None]:
    """The columns of prompt, completion and system prompt among some; those of most rows are the same."""
    values = dict.fromkeys(names)
    return column(values, *PROMPTS), column(values, *COMPLETIONS), column(values, *SYSTEMS)


class PromptCompletion(Format):
    """``prompt`` and ``completion``, or ``question`` and ``answer``, or their like; ``system`` where there is one."""

    order = 40

    def columns(self, values: Values) -> tuple[str, ...]:
        """The two columns, and ``system`` where there is one."""
        asked, answered, system = found(tuple(values))
        return tuple(filter(None, (asked, answered, system))) if asked and answered else ()

    def read(self, values: Values) -> Conversation:
        """The user asks, the assistant answers."""
        asked, answered, system = found(tuple(values))
        if asked is None:
            raise no_column(values, "prompt")
        if answered is None:
            raise no_column(values, "completion")
        first = as_text(values[system], system) if system else ""
        return exchange(as_text(values[asked], asked), as_text(values[answered], answered), first)
