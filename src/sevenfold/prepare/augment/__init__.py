"""Ways to say a text a little differently, so that a row gives more rows. One file each."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from sevenfold.prepare.dataset import Row
from sevenfold.registry import Registry
from sevenfold.schema import Component

if TYPE_CHECKING:
    from sevenfold.prepare.shelf import Shelf
    from sevenfold.prepare.work import Work

Way = Callable[[str, Random, Row], str | None]
"""From a text, a generator of chance and the text's row to another text; None where this text offers nothing."""
PLACEHOLDER = re.compile(r"\[[A-Z][A-Z_]*_\d+\]")
"""What masked personal data, which stays as it is."""


@dataclass(frozen=True)
class Known:
    """What a way may look at before it begins.

    Args:
        shelf: The training rows.
        parts: The roles whose turns will be changed.
        work: The seed, the stage's folder, progress.
    """

    shelf: Shelf
    parts: tuple[str, ...]
    work: Work

    def texts(self) -> Iterator[tuple[str, Row]]:
        """Every text that may be changed, with its row."""
        for row in self.shelf:
            yield from ((turn.content, row) for turn in row.conversation.messages if turn.role in self.parts)


class Augmenter(Component):
    """One way to change a text; the same text and the same state of chance give the same text again."""

    def start(self, known: Known) -> Way:
        """What changes texts; a way that learns from the rows first does so here.

        Raises:
            DataError: The rows have not what it needs.
            MachineError: A package is not installed, or a service does not answer.
        """
        return lambda text, random, _: self.change(text, random)

    @abstractmethod
    def change(self, text: str, random: Random) -> str | None:
        """Another text for this one, None where it offers nothing to change."""


AUGMENTERS = Registry(__name__, Augmenter)


def free_places(text: str, wanted: Callable[[str], bool]) -> list[int]:
    """The places of characters that may be changed: those that are wanted and mask nothing."""
    masked = {place for found in PLACEHOLDER.finditer(text) for place in range(*found.span())}
    return [place for place, character in enumerate(text) if place not in masked and wanted(character)]


def amount(share: float, of: int) -> int:
    """How many of some things a share means, at least one."""
    return max(1, round(share * of))
