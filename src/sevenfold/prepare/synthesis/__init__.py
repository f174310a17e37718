"""Ways to have a model write new rows after the example of those that are there. One file each."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sevenfold.prepare.dataset import Row
from sevenfold.registry import Registry
from sevenfold.schema import Component

if TYPE_CHECKING:
    from sevenfold.prepare.making.endpoint import Asking

WRITTEN = re.compile(r"<prompt>(.*?)</prompt>\s*<reply>(.*?)</reply>", re.S)
"""A row as the model is asked to write it."""
MARKS = ("<row>", "</row>", "<prompt>", "</prompt>", "<reply>", "</reply>")


@dataclass(frozen=True)
class Order:
    """What one round is to give.

    Args:
        number: The round, from 0.
        examples: The rows that it is made after.
        about: What the person says of the task, perhaps nothing.
        label: The value that all examples share and the new rows are to have; empty: none.
    """

    number: int
    examples: Sequence[Row]
    about: str
    label: str

    @property
    def task(self) -> str:
        """The examples and what is said of them, as a question begins."""
        shown = "\n".join(written(row) for row in self.examples)
        about = f" {self.about}" if self.about else ""
        label = f" All are of the kind {self.label!r}, and so must be what you write." if self.label else ""
        return f"These are rows of a data set, each a prompt and the reply to it.{about}{label}\n\n{shown}\n\n"


@dataclass(frozen=True)
class Draft:
    """A row as the model wrote it.

    Args:
        prompt: What is asked.
        reply: The answer to it.
        unreadable: What was written in place of a row; the others are empty then.
    """

    prompt: str = ""
    reply: str = ""
    unreadable: str = ""


class Synthesiser(Component):
    """One way to make rows with a model."""

    @abstractmethod
    def drafts(self, asking: Asking, order: Order) -> Iterator[Draft]:
        """The rows of one round; nothing that it asks is asked twice, also by a run that goes on after a kill.

        Raises:
            MachineError: The model does not answer.
        """


SYNTHESISERS = Registry(__name__, Synthesiser)


def written(row: Row) -> str:
    """A row as the model sees it and is to write it."""
    messages = row.conversation.messages
    asked = next(turn.content for turn in messages if turn.role == "user")
    return f"<row><prompt>{asked}</prompt><reply>{row.conversation.reference()}</reply></row>"


def read(answer: str) -> Iterator[Draft]:
    """The rows in an answer; a row that is begun and not readable is told as such, as is an answer with none."""
    found = [Draft(prompt.strip(), reply.strip()) for prompt, reply in WRITTEN.findall(answer)]
    readable = [draft for draft in found if not any(mark in draft.prompt + draft.reply for mark in MARKS)]
    yield from readable
    if len(readable) < len(found) or not found or "<prompt>" in WRITTEN.sub("", answer):
        yield Draft(unreadable=answer or "(an empty answer)")


def usable(row: Row) -> bool:
    """Whether a row can be an example: one question and its reply, perhaps below a system prompt, and no marks."""
    roles = [turn.role for turn in row.conversation.messages if turn.role != "system"]
    texts = [turn.content for turn in row.conversation.messages]
    return roles == ["user", "assistant"] and not any(mark in text for text in texts for mark in MARKS)
