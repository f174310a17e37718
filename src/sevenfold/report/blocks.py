"""What a part of the report is made of; the template has one macro for each kind of block.

A block carries the path of the file that its figures are from, relative to the run's folder. Text is plain: the
template escapes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from markupsafe import Markup

Tone = str
"""``good``, ``bad``, ``unsure`` or empty: the colour of a figure."""


@dataclass(frozen=True)
class Cell:
    """A table's cell with a tone; a plain string is a cell without one."""

    text: str
    tone: Tone = ""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Figures:
    """Labelled figures side by side."""

    kind: ClassVar[str] = "figures"
    items: Sequence[tuple[str, Cell | str]]
    source: str


@dataclass(frozen=True)
class Table:
    """A table; the first column holds words, the others figures unless ``words`` is set.

    A ``half`` table stands beside a plot; else it takes the whole width.
    """

    kind: ClassVar[str] = "table"
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell | str]]
    source: str
    caption: str = ""
    words: bool = False
    half: bool = False


@dataclass(frozen=True)
class Plot:
    """An inline picture with its caption."""

    kind: ClassVar[str] = "plot"
    svg: Markup
    caption: str
    source: str
    wide: bool = False


@dataclass(frozen=True)
class Prose:
    """A sentence or two."""

    kind: ClassVar[str] = "prose"
    text: str
    source: str = ""
    tone: Tone = ""


@dataclass(frozen=True)
class Points:
    """Sentences one below the other."""

    kind: ClassVar[str] = "points"
    lines: Sequence[Cell | str]
    source: str


@dataclass(frozen=True)
class Heading:
    """What the blocks behind it are about."""

    kind: ClassVar[str] = "heading"
    text: str


@dataclass(frozen=True)
class Sample:
    """Texts side by side: a row with both answers, or before and after.

    Args:
        title: Which row, and why it is shown.
        texts: Label to text, in order.
        source: The file that holds it.
    """

    kind: ClassVar[str] = "sample"
    title: str
    texts: Sequence[tuple[str, str]]
    source: str


@dataclass(frozen=True)
class Folded:
    """Blocks that are shown on a click, without a script."""

    kind: ClassVar[str] = "folded"
    title: str
    blocks: Sequence[Any]


@dataclass(frozen=True)
class Part:
    """A section of the page."""

    title: str
    blocks: Sequence[Any] = field(default_factory=list)

    @property
    def anchor(self) -> str:
        """The part's address in the page."""
        return self.title.lower().replace(" ", "-")
