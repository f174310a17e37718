"""Questions for metrics that read a row's other columns."""

from __future__ import annotations

from sevenfold.chat.conversation import Message
from sevenfold.chat.encoder import TokenSequence
from sevenfold.evaluate.held_out import Question


def question(prompt: str = "", reference: str = "", number: int = 0, **fields: str) -> Question:
    """A row with the given columns."""
    said = (Message("user", prompt),) if prompt else ()
    return Question(number, f"rows:{number + 1}", said, reference, [1], TokenSequence(), fields=fields)
