"""Repetition: what a text says again and again, and sentences that come back in many rows."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from pydantic import Field, field_validator

from sevenfold.chat.conversation import Conversation, Message
from sevenfold.folding import normalised
from sevenfold.prepare.clean import Counting, Outcome, Step, rewritten
from sevenfold.prepare.clean._frequent import Frequent
from sevenfold.prepare.dataset import Row
from sevenfold.prepare.keys import hashed

CODE = re.compile(r"(^```.*?(?:^```[ \t]*$|\Z))", re.DOTALL | re.MULTILINE)
PHRASE = re.compile(r"(?<!\S)(\S++(?: \S++){1,14}? [^\s.,;:!?،؛؟…]++)(?:[,;،؛]? \1){2,}(?=[.,;:!?،؛؟…]|\s|$)")
"""Three words or more that stand three times or more one behind the other."""
SENTENCE = re.compile(r"[^.!?؟۔…\n]*+(?:[.!?؟۔…]++(?!\s)[^.!?؟۔…\n]*+)*[.!?؟۔…]*+[ \t]*\n?")
"""A sentence with the white space behind it, or what is left of its line."""


class Repeats(Step):
    """Repeated phrases, sentences and lines inside a message are left once; boilerplate of many replies is removed.

    A sentence is boilerplate from the row after those that ``across`` lets pass. A reply that is nothing else stays as
    it is. Code blocks and indented lines stay.
    """

    words: int = Field(4, ge=1, description="Fewest words of a line or sentence that counts as repeated.")
    within: bool = Field(True, description="Whether repetition inside a message is removed.")
    across: int | None = Field(
        50, ge=2, description="Replies that may hold the same sentence; it is removed from later ones; none: from none."
    )
    phrases: list[str] = Field(
        default_factory=list,
        description="Openings that are cut from the sentences of replies, such as: This article suggests that.",
    )

    @field_validator("phrases")
    @classmethod
    def not_empty(cls, phrases: list[str]) -> list[str]:
        """Refuse an opening without words."""
        if any(not phrase.strip() for phrase in phrases):
            raise ValueError("an opening has no words")
        return phrases

    @property
    def alone(self) -> bool:
        """Whether nothing is looked for across rows."""
        return self.across is None

    def start(self) -> Callable[[Row], Outcome]:
        """Remember which sentences were seen how often."""
        return Unrepeated(self)


class Unrepeated(Counting):
    """One pass.

    Args:
        step: The settings.
    """

    def __init__(self, step: Repeats) -> None:
        super().__init__()
        self.step = step
        self.seen = Frequent()
        listed = "|".join(re.escape(phrase.strip()) for phrase in sorted(step.phrases, key=len, reverse=True))
        self.opening = re.compile(rf"((?:^|(?<=[.!?؟\n] ))[ \t]*)(?:{listed})(?!\w)[,:،]?[ \t]+(\S)", re.I | re.M)

    def __call__(self, row: Row) -> Outcome:
        """The row without what is too much."""
        if self.step.within:
            row = rewritten(row, lambda text: outside_code(text, self.once))
        if not (self.step.phrases or self.step.across):
            return row
        counted: set[int] = set()
        messages = tuple(
            self.without_boilerplate(message, counted) if message.role == "assistant" else message
            for message in row.conversation.messages
        )
        if messages == row.conversation.messages:
            return row
        return replace(row, conversation=Conversation(messages))

    def once(self, text: str) -> str:
        """A text with its repeated phrases, sentences and lines left once."""
        text, phrases = PHRASE.subn(r"\1", text)
        self.count("repeated_phrase", phrases)
        lines: dict[str, None] = {}
        kept = []
        for line in text.split("\n"):
            if self.counts(line) and not line[:1].isspace():
                if line.strip() in lines:
                    self.count("repeated_line", 1)
                    continue
                lines[line.strip()] = None
                line = self.sentences_once(line)
            kept.append(line)
        return "\n".join(kept)

    def sentences_once(self, line: str) -> str:
        """A line with a sentence that stands behind itself left once."""
        kept: list[str] = []
        for sentence in SENTENCE.findall(line):
            if kept and self.counts(sentence) and sentence.strip() == kept[-1].strip():
                self.count("repeated_sentence", 1)
            else:
                kept.append(sentence)
        found = "".join(kept)
        return line if found == line else found.rstrip()

    def without_boilerplate(self, message: Message, counted: set[int]) -> Message:
        """A reply without openings and sentences that come back; as it is when nothing would be left."""
        before = self.figures.copy()
        text = outside_code(message.content, lambda part: self.cut(part, counted))
        if text == message.content:
            return message
        if not text.strip():
            self.figures = before
            return message
        return replace(message, content=text.strip())

    def cut(self, text: str, counted: set[int]) -> str:
        """A part of a reply without openings and sentences that come back."""
        if self.step.phrases:
            text, openings = self.opening.subn(lambda found: found[1] + found[2].upper(), text)
            self.count("opening", openings)
        if not self.step.across:
            return text
        return "".join(sentence for sentence in SENTENCE.findall(text) if not self.comes_back(sentence, counted))

    def comes_back(self, sentence: str, counted: set[int]) -> bool:
        """Whether a sentence stood in too many rows before; each row counts once."""
        if self.step.across is None or not self.counts(sentence) or sentence[:1].isspace():
            return False
        key = hashed([normalised(sentence)])
        often = self.seen.counts[key] if key in counted else self.seen.add(key)
        counted.add(key)
        if often <= self.step.across:
            return False
        self.count("boilerplate", 1)
        return True

    def counts(self, text: str) -> bool:
        """Whether a line or sentence is long enough to count as repeated."""
        return len(text.split()) >= self.step.words

    def count(self, what: str, times: int) -> None:
        """Count what was removed."""
        if times:
            self.figures[what] += times


def outside_code(text: str, change: Callable[[str], str]) -> str:
    """The text with each part outside of its code blocks changed."""
    parts = CODE.split(text)
    parts[::2] = [change(part) for part in parts[::2]]
    return "".join(parts)
