"""Guards: what may go into a model and out of it, behind one interface.

A recipe chooses a :class:`Guard` by name; opened, it judges conversations in batches, on the side of the prompt (what
the user wants) or of the response (what the model said).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

from sevenfold.chat.conversation import Conversation
from sevenfold.errors import DataError
from sevenfold.registry import Registry
from sevenfold.schema import Component

Side = Literal["prompt", "response"]
"""Which end of a conversation is judged: what the user said last, or what the assistant said last."""


@dataclass(frozen=True, slots=True)
class Flag:
    """A category that a text falls into.

    Args:
        name: The category, as the guard's taxonomy calls it.
        probability: How likely it is, 0 to 1; None where the guard only names it.
    """

    name: str
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a guard says of one conversation.

    Args:
        safe: Whether it may pass.
        score: The probability that it is unsafe, 0 to 1. A guard without probabilities gives 0 or 1.
        categories: What it is unsafe as, the likeliest first.
        refused: Whether the assistant declined to answer; None where the guard does not look at that.
        why: What the judgement rests on, in words.
        failed: Whether the guard could not judge; ``safe`` then says what its rule for that case is.
    """

    safe: bool
    score: float
    categories: tuple[Flag, ...] = ()
    refused: bool | None = None
    why: str = ""
    failed: bool = False

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return {
            "safe": self.safe,
            "score": self.score,
            "categories": [{"name": flag.name, "probability": flag.probability} for flag in self.categories],
            "refused": self.refused,
            "why": self.why,
            "failed": self.failed,
        }


class OpenGuard(ABC):
    """A guard that is ready to judge."""

    @abstractmethod
    def judge(self, conversations: Sequence[Conversation], side: Side = "prompt") -> list[Judgement]:
        """One judgement for each conversation, in their order.

        Args:
            conversations: What was said.
            side: Which end is judged.

        Raises:
            DataError: A conversation has nothing on that side.
            SevenfoldError: The guard cannot judge at all: its service is gone, its model cannot be read.
        """

    def close(self) -> None:
        """Give back what the guard holds; it cannot be used afterwards."""
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Guard(Component):
    """A guard as a recipe writes it (``guard: rules``, ``guard: {model: {form: llama_guard_3, model: FOLDER}}``)."""

    @abstractmethod
    def open(self) -> OpenGuard:
        """The guard, ready to judge.

        Raises:
            SevenfoldError: Something that it needs is not there.
        """


GUARDS = Registry(f"{__name__}.guards", Guard)
"""The guards; a file's name is its name in the recipe."""


def judged_text(conversation: Conversation, side: Side) -> str:
    """What is judged: the last message of the user, or of the assistant.

    Raises:
        DataError: There is none.
    """
    role = "user" if side == "prompt" else "assistant"
    found = [message.content for message in conversation.messages if message.role == role]
    if not found:
        raise DataError(
            f"the conversation has no message of the {role}",
            expected=f"one, as the {side} is judged",
            next_step="judge the other side, or add the message",
        )
    return found[-1]
