"""Rewards: what an answer is worth. One file each; the file's name is its name in the recipe."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

from pydantic import Field

from sevenfold.registry import Registry
from sevenfold.schema import Component


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer and what it is judged by.

    Args:
        prompt: The turns before it, each a role and a content.
        answer: Its text, without special tokens.
        reference: The reply of the row; what is right, where anything is.
        fields: The row's other columns that were kept, as text.
        tokens: Tokens that were written, the stop token included.
        ended: Whether it ended by itself, not at the limit.
    """

    prompt: tuple[dict[str, str], ...]
    answer: str
    reference: str
    fields: dict[str, str] = field(default_factory=dict)
    tokens: int = 0
    ended: bool = True

    def as_json(self) -> dict[str, Any]:
        """The form that goes to another process."""
        return asdict(self)

    @classmethod
    def of(cls, kept: dict[str, Any]) -> Answered:
        """What :meth:`as_json` gave."""
        return cls(**{**kept, "prompt": tuple(kept["prompt"])})


class Reward(Component):
    """A number for an answer, higher is better.

    A file of the user's defines one class that derives from this and says :meth:`value`.
    """

    apart: ClassVar[bool] = True
    """Whether it runs in a process of its own, which is ended when it takes too long; code that always ends at once
    need not."""
    weight: float = Field(1.0, description="Factor of this reward in the sum; 0: it is shown and not learnt from.")
    seconds: float = Field(2.0, gt=0, description="The longest that one answer's judgement may take, seconds.")
    failed: float = Field(
        0.0, description="The value of an answer whose judgement fails, takes too long, or is no number."
    )

    @property
    def threads(self) -> int:
        """How many answers may be judged at the same time; more than one only where judging is waiting."""
        return 1

    @abstractmethod
    def value(self, answered: Answered) -> float:
        """The reward of one answer."""


REWARDS = Registry[Reward](__name__, Reward)
