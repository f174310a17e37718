"""Perturbations: the same question as another person would type it; one file each, the file's name is its name.

A perturbation is a pure function of a text and a seeded draw. Numbers stay the same numbers in all of them. Each says
whether a reader would still understand the same: ``kept``, or ``may change`` where that depends on the text.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, Literal

from sevenfold.registry import Registry
from sevenfold.schema import Component

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

Meaning = Literal["kept", "may change"]
FIXED = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|\w+://\S+|\S+@\S+\.\S+|<\|[^|\n]*\|>", re.DOTALL)
"""What another writing breaks instead of disturbing: code, addresses, a template's own tokens."""


class Perturbation(Component):
    """A way to disturb a text.

    Attributes:
        says: What is done, in words.
        meaning: Whether a reader still understands the same.
    """

    says: ClassVar[str]
    meaning: ClassVar[Meaning] = "kept"

    @abstractmethod
    def change(self, text: str, draw: Random) -> str:
        """Some text disturbed; the same where there is nothing to disturb."""

    def apply(self, text: str, draw: Random) -> str:
        """A whole message disturbed; code and addresses in it stay."""
        return around(text, lambda part: self.change(part, draw))


PERTURBATIONS = Registry(__name__, Perturbation)


def default_perturbations() -> list[Perturbation]:
    """All that come along, with their default settings."""
    return [PERTURBATIONS.find(name)() for name in PERTURBATIONS.names()]


def around(text: str, change: Callable[[str], str]) -> str:
    """A text changed, but for what must stay as it is."""
    parts, done = [], 0
    for found in FIXED.finditer(text):
        parts += [change(text[done : found.start()]), found[0]]
        done = found.end()
    return "".join((*parts, change(text[done:])))
