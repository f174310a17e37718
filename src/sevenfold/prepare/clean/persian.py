"""Persian as it should be written: its letters, digits, half-spaces and punctuation."""

from __future__ import annotations

import re
from collections.abc import Callable

from pydantic import Field

from sevenfold.prepare.clean import Outcome, Single, rewritten
from sevenfold.prepare.clean._persian.half_space import half_space, inside_only
from sevenfold.prepare.clean._persian.informal import formal
from sevenfold.prepare.clean._persian.language import is_persian
from sevenfold.prepare.clean._persian.letters import DIACRITICS, Digits, digits, letters
from sevenfold.prepare.clean._persian.spaces import spaces
from sevenfold.prepare.dataset import Row

KEPT = re.compile(
    r"(```.*?(?:```|\Z)|`[^`\n]*`|(?<![A-Za-z])(?:[A-Za-z][A-Za-z0-9+.-]*://|www\.)\S+"
    r"|[A-Za-z0-9_.+-]+@[A-Za-z0-9-]+\.[A-Za-z0-9.-]+)",
    re.DOTALL,
)
"""Code, addresses of pages and of mail: nothing in them is changed."""


class Persian(Single):
    """Persian letters, digits, half-spaces and punctuation; texts in other languages, code and addresses stay."""

    digits: Digits = Field(
        "persian",
        description="persian: Arabic digits become Persian; all_persian: Latin ones too; latin: all to Latin; keep.",
    )
    half_spaces: bool = Field(
        True, description="Whether half-spaces are put into words (می‌روم, کتاب‌ها) and taken from words' edges."
    )
    punctuation: bool = Field(
        True, description="Whether spaces around punctuation and its Persian forms are put right."
    )
    diacritics: bool = Field(True, description="Whether vowel signs stay; no removes them, tashdid too.")
    informal: bool = Field(False, description="Whether everyday forms become standard ones (میگه to می‌گوید).")
    always: bool = Field(
        False, description="Whether every text counts as Persian, also one too short to tell it from Arabic."
    )

    def start(self) -> Callable[[Row], Outcome]:
        """Normalise every message that is Persian."""
        return lambda row: rewritten(row, self.clean)

    def clean(self, text: str) -> str:
        """A text as it should be written; doing it twice is doing it once."""
        if text.isascii() or not (self.always or is_persian(text)):
            return text
        parts = KEPT.split(text)
        parts[::2] = [self.normal(part) for part in parts[::2]]
        return "".join(parts)

    def normal(self, text: str) -> str:
        """A part that is neither code nor address."""
        text = digits(letters(text), self.digits)
        if not self.diacritics:
            text = DIACRITICS.sub("", text)
        if self.half_spaces:
            # A half-space at a word's edge would hide the space that is too much, so it goes first.
            text = inside_only(text)
        if self.punctuation:
            text = spaces(text)
        if self.half_spaces:
            text = half_space(text)
        return formal(text) if self.informal else text
