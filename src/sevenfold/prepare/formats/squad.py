"""A question, the text that answers it, and where in it the answer stands."""

from __future__ import annotations

import json
from typing import Any

from pydantic import Field

from sevenfold.chat.conversation import Conversation
from sevenfold.errors import DataError
from sevenfold.prepare.formats import Format, Values, as_text, column, no_column
from sevenfold.prepare.formats._exchange import exchange

ANSWERS = ("answers", "answer")


class Squad(Format):
    """`question`, `context`, and `answers` with lists `text` and `answer_start`; or `answer` as a text.

    The user asks and gives the text behind a blank line, the assistant says the first answer, so that `sft` learns from
    the same rows; where the answer begins (field `start`, characters of the text from 0) is for the objective `span`.
    """

    order = 25
    none: str = Field("unanswerable", min_length=1, description="The reply where the text has no answer.")

    def columns(self, values: Values) -> tuple[str, ...]:
        """The three columns."""
        answers = column(values, *ANSWERS)
        return ("question", "context", answers) if answers and {"question", "context"} <= set(values) else ()

    def read(self, values: Values) -> Conversation:
        """The question and the text, then the answer."""
        for name in ("question", "context"):
            if name not in values:
                raise no_column(values, name)
        question = " ".join(as_text(values["question"], "question").split())
        return exchange(f"{question}\n\n{as_text(values['context'], 'context')}", self.answer(values)[0] or self.none)

    def fields(self, values: Values) -> dict[str, str]:
        """Where the answer begins, where that is said."""
        start = self.answer(values)[1]
        return {"start": "" if start is None else str(start)}

    def answer(self, values: Values) -> tuple[str, int | None]:
        """The first answer, empty where there is none, and its first character.

        Raises:
            DataError: There is no such column, or something else in it.
        """
        name = column(values, *ANSWERS)
        if name is None:
            raise no_column(values, "answers")
        value: Any = values[name]
        if isinstance(value, str) and value.lstrip().startswith("{"):
            value = json.loads(value)
        if not isinstance(value, dict):
            start = values.get("answer_start")
            return as_text(value, name).strip(), None if start is None else int(start)
        texts, starts = value.get("text", []), value.get("answer_start", [])
        if not isinstance(texts, list) or not isinstance(starts, list):
            raise DataError(f"the column {name!r} has no lists", expected="lists text and answer_start")
        if not texts:
            return "", None
        return as_text(texts[0], name).strip(), int(starts[0]) if starts else None
