"""Translators that augmentation goes through. One file each; one of yours is a file with one class."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

from sevenfold.registry import Registry
from sevenfold.schema import Component

if TYPE_CHECKING:
    from sevenfold.prepare.work import Work

Translation = Callable[[str, str, str], str]
"""From a text, its language and the language that is wanted to the text in that language."""


class Translator(Component):
    """Something that translates."""

    def start(self, work: Work) -> Translation:
        """What translates; a model is loaded or a connection made here.

        Raises:
            MachineError: It cannot be had.
        """
        return self.translate

    @abstractmethod
    def translate(self, text: str, source: str, target: str) -> str:
        """A text in another language.

        Args:
            text: What is translated.
            source: Its language, as the recipe names it.
            target: The language that is wanted.
        """


TRANSLATORS = Registry(__name__, Translator)
