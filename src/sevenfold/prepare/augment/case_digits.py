"""The same text in other clothes: case, the script of its digits, Arabic forms of Persian letters."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Literal

from pydantic import Field

from sevenfold.prepare.augment import PLACEHOLDER, Augmenter

SCRIPTS = ("0123456789", "۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩")
"""Latin, Persian and Arabic digits."""
ARABIC = str.maketrans({"ی": "ي", "ک": "ك"})
"""What Arabic keyboards write for two Persian letters."""

Kind = Literal["case", "digits", "letters"]
KINDS: tuple[Kind, ...] = ("case", "digits", "letters")


class CaseDigits(Augmenter):
    """Another case, digits of another script (Latin, Persian, Arabic), or Arabic forms of Persian letters."""

    kinds: tuple[Kind, ...] = Field(KINDS, min_length=1, description="What changes, one at a time, each as likely.")

    def change(self, text: str, random: Random) -> str | None:
        """The text in one of the clothes that differ from its own."""
        every: dict[Kind, list[Callable[[str], str]]] = {
            "case": [str.lower, str.upper, str.title],
            "digits": [in_script(script) for script in SCRIPTS],
            "letters": [lambda part: part.translate(ARABIC)],
        }
        kinds = [
            others
            for kind in self.kinds
            if (others := [one for change in every[kind] if (one := free(text, change)) != text])
        ]
        return random.choice(random.choice(kinds)) if kinds else None


def in_script(script: str) -> Callable[[str], str]:
    """What writes all digits in one script."""
    table = str.maketrans("".join(SCRIPTS), script * len(SCRIPTS))
    return lambda part: part.translate(table)


def free(text: str, change: Callable[[str], str]) -> str:
    """A text changed, but for its placeholders."""
    parts, done = [], 0
    for found in PLACEHOLDER.finditer(text):
        parts += [change(text[done : found.start()]), found[0]]
        done = found.end()
    return "".join((*parts, change(text[done:])))
