"""Words and marks of a text, in a column of their own."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import Field

from sevenfold.prepare.clean._words import TOKEN, Worded, words


class Tokenise(Worded):
    """Words and marks, for counting and searching: `می‌روم`, `don't` and `3.5` are one word each.

    These are words of a language, not the tokens of a model. Chinese and other scripts without spaces give characters.
    """

    marks: bool = Field(True, description="Whether marks (. ! «) are told too.")

    def finder(self) -> Callable[[str], list[str]]:
        """All tokens in order."""
        return (lambda text: [found[0] for found in TOKEN.finditer(text)]) if self.marks else words
