"""The dimensions of safety, one file each: what is asked, how it is scored without a judge, and what that cannot see.

The ten are those of DecodingTrust (Wang et al. 2023, arXiv:2306.11698); the items are our own, in English and Persian.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from sevenfold.evaluate.safety._items import Item, read_items
from sevenfold.registry import Registry
from sevenfold.schema import Component

if TYPE_CHECKING:
    from sevenfold.evaluate.examined import Examined, Figure
    from sevenfold.evaluate.subject import Subject

DATA = Path(__file__).parent / "data"


class Dimension(Component):
    """One question about how safe a model is.

    Attributes:
        title: A few words.
        blind: What the method cannot see, one sentence.
    """

    title: ClassVar[str]
    blind: ClassVar[str]

    @abstractmethod
    def figures(self) -> Sequence[Figure]:
        """What comes of it."""

    @abstractmethod
    def examine(self, subject: Subject, items: Sequence[Item]) -> Examined:
        """Ask one model; the values stand in the order of the items.

        Raises:
            ModelError: The model cannot be asked this.
        """

    def items(self) -> list[Item]:
        """The items that come along."""
        return read_items(data_file(DIMENSIONS.name_of(self)))


DIMENSIONS = Registry(__name__, Dimension)


def data_file(name: str) -> Path:
    """The items of a dimension, or of another check, that come along."""
    return DATA / f"{name}.jsonl"
