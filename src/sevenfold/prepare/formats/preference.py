"""Judged answers: one that was preferred beside one that was not, or one that was called good or bad."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from sevenfold.chat.conversation import Conversation, Message
from sevenfold.errors import DataError
from sevenfold.folding import normalised
from sevenfold.prepare.dataset import DESIRABLE, REJECTED
from sevenfold.prepare.formats import Format, Role, Unfit, Values, as_text, column, no_column
from sevenfold.prepare.formats._turns import as_message, has_turns, turns_of

PROMPTS = ("prompt", "question", "query")
COMPLETIONS = ("completion", "answer", "response")
LABELS = ("label", DESIRABLE)
YES, NO = ("true", "1", "yes"), ("false", "0", "no")


class Preference(Format):
    """`prompt`, `chosen` and `rejected`, or `prompt`, `completion` and `label`; texts or lists of messages.

    The row is the conversation with the preferred answer, so that `sft` learns from the same rows. Beside it goes the
    other answer (field `rejected`), or what was said of the one (field `desirable`). Lists may repeat the prompt, or
    hold all of it: what both begin with is the prompt. A column `system` stands before a prompt that is a text.
    """

    order = 5
    roles: dict[str, Role] = Field(
        default_factory=dict, description="Your names of roles to system, user, assistant or tool."
    )

    def columns(self, values: Values) -> tuple[str, ...]:
        """The two answers and the prompt, where it is not in them; or prompt, completion and a label of yes or no."""
        prompt = tuple(filter(None, (column(values, *PROMPTS), column(values, "system"))))
        if "chosen" in values and REJECTED in values:
            return (*prompt, "chosen", REJECTED)
        answer, label = column(values, *COMPLETIONS), column(values, *LABELS)
        if prompt and answer and label and is_verdict(values[label]):
            return (*prompt, answer, label)
        return ()

    def read(self, values: Values) -> Conversation:
        """The prompt and the preferred answer, or the one that is there."""
        return Conversation(self.answers(values)[0])

    def fields(self, values: Values) -> dict[str, str]:
        """The other answer, or the label."""
        if "chosen" not in values:
            return {DESIRABLE: verdict(values)}
        chosen, rejected = self.answers(values)
        if chosen[:-1] != rejected[:-1]:
            raise Unfit("answers_to_different_prompts")
        if rejected[-1].role != "assistant" or not rejected[-1].content.strip():
            raise Unfit("empty_rejected")
        if normalised(rejected[-1].content) == normalised(chosen[-1].content):
            raise Unfit("equal_answers")
        return {REJECTED: rejected[-1].content}

    def answers(self, values: Values) -> list[tuple[Message, ...]]:
        """Each answer with all that stands before it.

        Raises:
            DataError: A column is not there.
            Unfit: An answer does not end with the assistant's turn.
        """
        pair = "chosen" in values or REJECTED in values
        names = ("chosen", REJECTED) if pair else (column(values, *COMPLETIONS) or "completion",)
        for name in names:
            if name not in values:
                raise no_column(values, name)
        return [self.whole(values, name) for name in names]

    def whole(self, values: Values, name: str) -> tuple[Message, ...]:
        """An answer behind the prompt."""
        given, found = self.prompt(values), self.turns(values, name)
        # A list that holds a user's turn begins with the prompt, whether or not that is also a column.
        found = found if any(message.role == "user" for message in found) else (*given, *found)
        if not found or found[-1].role != "assistant":
            raise Unfit(f"{name}_is_no_answer")
        if all(message.role != "user" for message in found):
            raise DataError(
                f"there is no prompt before the column {name!r}",
                expected=f"a column {' or '.join(PROMPTS)}, or lists of messages that begin with the prompt",
                next_step="map your name with prepare.columns, for example columns: {your_name: prompt}",
            )
        return found

    def prompt(self, values: Values) -> tuple[Message, ...]:
        """What the prompt's column says, behind the system's."""
        name = column(values, *PROMPTS)
        if name is None or has_turns(values[name], "role"):
            return self.turns(values, name) if name else ()
        system = as_text(values.get("system"), "system")
        first = (Message("system", system),) if system else ()
        return (*first, Message("user", as_text(values[name], name)))

    def turns(self, values: Values, name: str) -> tuple[Message, ...]:
        """A cell as messages; a text is an answer."""
        if not has_turns(values[name], "role"):
            return (Message("assistant", as_text(values[name], name)),)
        return tuple(as_message(turn, "role", "content", self.roles) for turn in turns_of(values, name))


def is_verdict(value: Any) -> bool:
    """Whether a cell says yes or no."""
    return isinstance(value, bool) or (isinstance(value, str) and value.strip().lower() in (*YES[:1], *NO[:1]))


def verdict(values: Values) -> str:
    """What the label says of the answer: true or false.

    Raises:
        DataError: It says something else.
    """
    name = column(values, *LABELS)
    if name is None:
        raise no_column(values, "label")
    said = str(values[name]).strip().lower()
    if said not in (*YES, *NO):
        raise DataError(
            f"the column {name!r} says {values[name]!r}", expected="whether the answer is good: true or false"
        )
    return "true" if said in YES else "false"
