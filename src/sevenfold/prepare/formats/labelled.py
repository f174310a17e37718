"""A text and its label: for classification, and where the label is a number for regression."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from sevenfold.chat.conversation import Conversation
from sevenfold.errors import DataError
from sevenfold.prepare.formats import Format, Unfit, Values, as_text, column, no_column
from sevenfold.prepare.formats._exchange import exchange

TEXTS = ("text", "sentence", "content", "review", "document")
LABELS = ("label", "labels", "class", "category", "target", "score")


class Labelled(Format):
    """`text` and `label`, or columns that you name; the label is the reply, so that `sft` learns from the same rows.

    A list of labels becomes a reply with a comma between two, an empty one `none`.
    """

    order = 35
    text: str | None = Field(None, description="The column of the text; default: text, sentence, content or the like.")
    label: str | None = Field(None, description="The column of the label; default: label, class, category or the like.")
    ask: str = Field("", description="What the user says above the text, with the labels to choose from; '': nothing.")
    names: dict[str, str] = Field(
        default_factory=dict, description="Names of labels that are numbers: {0: negative, 1: positive}."
    )

    def columns(self, values: Values) -> tuple[str, ...]:
        """The two columns."""
        pair = (self.column(values, self.text, TEXTS), self.column(values, self.label, LABELS))
        return tuple(name for name in pair if name) if all(pair) else ()

    def column(self, values: Values, named: str | None, known: tuple[str, ...]) -> str | None:
        """The column that is named, or the first that is known."""
        return column(values, *([named] if named else known))

    def read(self, values: Values) -> Conversation:
        """The user says the text, the assistant the label."""
        text, label = self.column(values, self.text, TEXTS), self.column(values, self.label, LABELS)
        if text is None:
            raise no_column(values, self.text or "text", "format: {labelled: {text: your_column, label: your_other}}")
        if label is None:
            raise no_column(values, self.label or "label", "format: {labelled: {text: your_column, label: your_other}}")
        said = as_text(values[text], text)
        return exchange(f"{self.ask}\n\n{said}" if self.ask else said, self.reply(values[label], label))

    def reply(self, value: Any, name: str) -> str:
        """A label's text."""
        if isinstance(value, list):
            return ", ".join(self.named(one, name) for one in value) or "none"
        return self.named(value, name)

    def named(self, value: Any, name: str) -> str:
        """A label by its name.

        Raises:
            DataError: There are names, and this one is not among them.
            Unfit: The row has no label.
        """
        text = as_text(value, name).strip()
        if not text:
            raise Unfit("no_label")
        if self.names and text not in self.names:
            raise DataError(
                f"the label {text!r} has no name",
                value=text,
                alternatives=self.names,
                next_step="add it to prepare.format.labelled.names",
            )
        return self.names.get(text, text)
