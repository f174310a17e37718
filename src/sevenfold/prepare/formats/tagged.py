"""Words and their tags."""

from __future__ import annotations

import json
from typing import Any

from pydantic import Field

from sevenfold.chat.conversation import Conversation
from sevenfold.errors import DataError
from sevenfold.prepare.formats import Format, Unfit, Values, as_text, column, no_column
from sevenfold.prepare.formats._exchange import exchange

WORDS = ("tokens", "words")
TAGS = ("tags", "ner_tags", "pos_tags", "labels")
OUTSIDE = "O"


class Tagged(Format):
    """Two lists of one length, `tokens` and `tags`; texts with spaces between, or lists as JSON text, are lists too.

    The prompt ends with the words. The reply lists the entities, one a line, `DATE: 3 May`, so that `sft` learns from
    the same rows; the tags go on with the row (field `tags`), for the objective `tag`.
    """

    order = 24
    ask: str = Field(
        "List the entities of this text, one a line, as KIND: words. Say none where there is none.",
        description="What the user says above the words.",
    )
    none: str = Field("none", min_length=1, description="The reply where no word is an entity's.")
    names: tuple[str, ...] = Field((), description="Names of tags that are numbers, in order: [O, B-DATE, I-DATE].")

    def columns(self, values: Values) -> tuple[str, ...]:
        """The two columns."""
        pair = (column(values, *WORDS), column(values, *TAGS))
        return tuple(name for name in pair if name) if all(pair) else ()

    def read(self, values: Values) -> Conversation:
        """The words are asked about, their entities are the answer."""
        words, tags = self.pairs(values)
        return exchange(f"{self.ask}\n\n{' '.join(words)}", "\n".join(listed(words, tags)) or self.none)

    def fields(self, values: Values) -> dict[str, str]:
        """The tags."""
        return {"tags": " ".join(self.pairs(values)[1])}

    def pairs(self, values: Values) -> tuple[list[str], list[str]]:
        """Words and tags.

        Raises:
            DataError: A column is missing, or one has more than the other.
            Unfit: A word has white space in it, or none at all.
        """
        first, second = column(values, *WORDS), column(values, *TAGS)
        if first is None:
            raise no_column(values, "tokens")
        if second is None:
            raise no_column(values, "tags")
        words, tags = as_list(values[first], first), [self.tag(tag) for tag in as_list(values[second], second)]
        if len(words) != len(tags):
            raise DataError(f"{len(words)} words and {len(tags)} tags", expected="one tag for each word")
        if any(len(word.split()) != 1 for word in words):
            raise Unfit("word_with_white_space")
        return words, tags

    def tag(self, text: str) -> str:
        """A tag by its name.

        Raises:
            DataError: It is a number without a name.
        """
        if not text.isdecimal():
            return text
        if int(text) >= len(self.names):
            raise DataError(
                f"the tag {text} has no name",
                expected="names of tags that are numbers",
                next_step="prepare.format: {tagged: {names: [O, B-DATE, I-DATE]}}",
            )
        return self.names[int(text)]


def as_list(value: Any, name: str) -> list[str]:
    """A cell's words."""
    if isinstance(value, str):
        value = json.loads(value) if value.lstrip().startswith("[") else value.split()
    if not isinstance(value, list):
        raise DataError(f"the column {name!r} holds a {type(value).__name__}", expected="a list")
    return [as_text(one, name) for one in value]


def listed(words: list[str], tags: list[str]) -> list[str]:
    """The entities as lines; one that begins with ``I-`` is an entity too."""
    found: list[list[str]] = []
    kind = ""
    for word, tag in zip(words, tags, strict=True):
        if tag != OUTSIDE and (not tag.startswith("I-") or tag[2:] != kind):
            found.append([f"{tag[2:]}:"])
        kind = "" if tag == OUTSIDE else tag[2:]
        if tag != OUTSIDE:
            found[-1].append(word)
    return [" ".join(entity) for entity in found]
