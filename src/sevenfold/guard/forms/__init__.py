"""Forms: how a kind of guard model is asked, and how its answer is read. One file each.

The frame around the conversation is the interface that a model was trained on, so its words are fixed; what stands
under the categories comes from the taxonomy.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from pydantic import Field, model_validator

from sevenfold.chat.conversation import Conversation, Message
from sevenfold.guard import Flag, Side
from sevenfold.guard.taxonomy import Category
from sevenfold.guard.taxonomy import Taxonomy as Taxonomy
from sevenfold.registry import Registry
from sevenfold.schema import Component, Strict


class Example(Strict):
    """A conversation with the right judgement, shown to the model before what it is to judge."""

    prompt: str = Field(min_length=1, description="What the user said.")
    response: str = Field("", description="What the assistant said; needed where the response is judged.")
    unsafe_as: tuple[str, ...] = Field((), description="Ids of the categories that it falls into; none: it is safe.")
    refused: bool = Field(False, description="Whether the assistant declined.")
    side: Side = Field("prompt", description="Which end the judgement is about.")

    @model_validator(mode="after")
    def has_what_is_judged(self) -> Example:
        """Refuse an example of a response without one."""
        if self.side == "response" and not self.response:
            raise ValueError("an example of the response's side needs a response")
        return self

    def conversation(self) -> Conversation:
        """The same as a conversation."""
        said = [Message("user", self.prompt)]
        return Conversation(tuple([*said, Message("assistant", self.response)] if self.response else said))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer says.

    Args:
        before: The part of the answer that stands before the deciding word; its probability is read behind this.
        unsafe: What the deciding word says; None where there is none.
        categories: What is named.
        refused: Whether the assistant declined, where the answer tells.
    """

    before: str
    unsafe: bool | None
    categories: tuple[Flag, ...] = ()
    refused: bool | None = None


class Form(Component):
    """How one kind of guard model is asked and read.

    Attributes:
        taxonomy: The taxonomy that it was trained with.
        start: The token that every text of the model begins with.
        unsafe: The deciding word of an unsafe text.
        safe: The deciding word of a safe one.
        end: What ends an answer, between examples.
        length: The most tokens that an answer may need.
        by_category: Whether each category is a question of its own.
    """

    taxonomy: ClassVar[str]
    start: ClassVar[str]
    unsafe: ClassVar[str]
    safe: ClassVar[str]
    end: ClassVar[str]
    length: ClassVar[int]
    by_category: ClassVar[bool] = False

    @abstractmethod
    def ask(self, conversation: Conversation, side: Side, categories: Sequence[Category]) -> str:
        """The text up to where the model answers.

        Raises:
            DataError: The conversation has nothing on that side.
        """

    @abstractmethod
    def answer(self, example: Example, categories: Sequence[Category]) -> str:
        """What the model should have answered to an example."""

    @abstractmethod
    def read(self, written: str, side: Side, categories: Sequence[Category]) -> Verdict:
        """What an answer says."""

    def prompt(
        self, conversation: Conversation, side: Side, categories: Sequence[Category], examples: Sequence[Example] = ()
    ) -> str:
        """What the model reads, without its first token: the examples of this side, then the question.

        Args:
            conversation: What is judged.
            side: Which end of it.
            categories: What counts as unsafe; a form that asks by category takes one.
            examples: None: zero-shot.
        """
        shown = [
            self.ask(inert(example.conversation()), side, categories) + self.answer(example, categories) + self.end
            for example in examples
            if example.side == side
        ]
        return "".join([*shown, self.ask(inert(conversation), side, categories)])


MARKS = re.compile(r"<(?=\||/?s>|bos>|eos>|start_of_turn>|end_of_turn>|(?:BEGIN|END) )|\[(?=/?INST\])")


def inert(conversation: Conversation) -> Conversation:
    """The conversation with the marks of the frames taken apart: what is judged cannot end its own judging."""
    return Conversation(tuple(Message(one.role, MARKS.sub(r"\g<0> ", one.content)) for one in conversation.messages))


FORMS = Registry(__name__, Form)
"""The forms; a file's name is its name in the recipe."""
