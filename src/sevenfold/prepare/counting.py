"""What is counted of rows that are written: lengths, turns and roles, and the dataset's identity."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sevenfold.prepare.figures import Figures
from sevenfold.prepare.packing import unpacked
from sevenfold.prepare.version import Content

if TYPE_CHECKING:
    import pyarrow


@dataclass
class Counted:
    """What is known of some rows of a split.

    Args:
        side: The split.
        rows: How many.
        figures: Lengths, turns and roles.
        content: Their share of the dataset's identity.
    """

    side: str
    rows: int
    figures: Figures
    content: Content


class Count:
    """The job: some rows of a split are counted."""

    def start(self) -> Callable[[tuple[str, pyarrow.RecordBatch]], Counted]:
        """Count each batch by itself."""
        return counted


def counted(piece: tuple[str, pyarrow.RecordBatch]) -> Counted:
    """One batch of a split."""
    side, batch = piece
    found = Counted(side, batch.num_rows, Figures(), Content())
    for row in unpacked(batch):
        found.figures.add(row)
        found.content.add(side, row)
    return found
