"""A conversation: the one form that every chat format is read into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

ROLES = ("system", "user", "assistant", "tool")


@dataclass(frozen=True, slots=True)
class Message:
    """One turn.

    Args:
        role: One of :data:`ROLES`.
        content: What was said.
        weight: How much an assistant's turn counts in the loss; 0 leaves it out. Other roles are never learnt.
    """

    role: str
    content: str
    weight: float = 1.0

    @property
    def supervised(self) -> bool:
        """Whether the model learns to write this turn."""
        return self.role == "assistant" and self.weight > 0

    def as_dict(self) -> dict[str, str]:
        """The form that chat templates and OpenAI-compatible servers take."""
        return {"role": self.role, "content": self.content}


@dataclass(frozen=True, slots=True)
class Conversation:
    """Messages in order."""

    messages: tuple[Message, ...]

    @classmethod
    def of(cls, messages: list[dict[str, Any]]) -> Conversation:
        """A conversation from dictionaries with ``role``, ``content`` and perhaps ``weight``."""
        return cls(tuple(Message(m["role"], m["content"], float(m.get("weight", 1.0))) for m in messages))

    @property
    def replies(self) -> list[int]:
        """The positions of the turns that the model learns."""
        return [index for index, message in enumerate(self.messages) if message.supervised]

    def prompt(self) -> tuple[Message, ...]:
        """Everything before the last reply: what is asked when the answer is scored or generated."""
        last = self.replies[-1] if self.replies else len(self.messages)
        return self.messages[:last]

    def reference(self) -> str:
        """The last reply: what a generated answer is compared with; empty when there is none."""
        return self.messages[self.replies[-1]].content if self.replies else ""
