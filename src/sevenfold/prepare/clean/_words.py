"""What the steps share that write words or sentences of a row into a column of their own."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Literal

import regex
from pydantic import Field

from sevenfold.prepare.clean import Outcome, Step, noted
from sevenfold.prepare.dataset import Row
from sevenfold.prepare.overlap.words import LETTERS as FORMS
from sevenfold.prepare.overlap.words import SPACELESS

LETTERS = rf"[[\p{{L}}\p{{M}}\p{{N}}]--[{SPACELESS}]]"
TOKEN = regex.compile(
    rf"(?P<word>[{SPACELESS}]\p{{M}}*|{LETTERS}+(?:[\u200c\u200d'’-]{LETTERS}+|(?<=\p{{N}})[.,٫٬](?=\p{{N}}){LETTERS}+)*)"
    r"|\p{P}+|\p{S}",
    regex.V1,
)
"""Words with what joins their parts (``می‌روم``, ``don't``, ``3.5``); marks in a row, and signs one by one."""
ARABIC, LETTER = regex.compile(r"\p{Arabic}"), regex.compile(r"\p{L}")
MANY = 100_000
"""Different words whose form is remembered, about 20 MB."""


class Worded(Step):
    """A step that writes what it finds in a row's text into a column, and leaves the text as it is."""

    main = "column"
    column: str = Field(min_length=1, description="The column that is written.")
    of: Literal["row", "prompt", "reply"] = Field(
        "row", description="The text that is read: all messages, what is asked, or the replies."
    )
    separator: str = Field(" ", min_length=1, description="What stands between two of what is found.")

    def start(self) -> Callable[[Row], Outcome]:
        """Read every row."""
        find = self.finder()
        return lambda row: noted(row, self.column, self.separator.join(find(self.text(row))))

    @abstractmethod
    def finder(self) -> Callable[[str], list[str]]:
        """The function that finds them in a text.

        Raises:
            RecipeError: The language is not known.
            MachineError: A package is not installed.
        """

    def text(self, row: Row) -> str:
        """The text that is read; each message begins a line."""
        wanted = {"row": None, "prompt": False, "reply": True}[self.of]
        texts = (m.content for m in row.conversation.messages if wanted in (None, m.role == "assistant"))
        return "\n".join(texts)


class Languaged(Worded):
    """The same, by the rules of a language."""

    language: str = Field(
        "auto",
        description="ISO 639-1 code; auto: Persian (fa) where most letters are of Arabic script, else English (en).",
    )

    def code(self, text: str) -> str:
        """The language of a text."""
        return script_language(text) if self.language == "auto" else self.language


def words(text: str) -> list[str]:
    """The words of a text, without marks."""
    return [found["word"] for found in TOKEN.finditer(text) if found["word"]]


def script_language(text: str) -> str:
    """``fa`` where most letters are of Arabic script, else ``en``."""
    return "fa" if 2 * len(ARABIC.findall(text)) > len(LETTER.findall(text)) else "en"


def plain(word: str) -> str:
    """A word in lower case, with the letters and digits of Persian in one form and without vowel marks."""
    return word.casefold() if word.isascii() else word.casefold().translate(FORMS)
