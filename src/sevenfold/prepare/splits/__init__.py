"""Splitters: which rows are held out. One file each; the file's name is its name in the recipe."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from sevenfold.prepare.splits._shares import Shares
from sevenfold.registry import Registry
from sevenfold.schema import Component


@dataclass(frozen=True, slots=True)
class Index:
    """What a splitter knows of the rows.

    Args:
        openings: For each row a 64-bit key; rows that ask the same share it and must not be parted.
        labels: For each row its value of the splitter's column; empty when the splitter reads none.
    """

    openings: Sequence[int]
    labels: Sequence[str]


class Splitter(Component):
    """A way to choose the rows that are held out; a pure function of the rows' contents and a seed."""

    @property
    def column(self) -> str | None:
        """The column that it reads, if any."""
        return None

    def wanted(self, shares: Shares) -> dict[str, float]:
        """The share of each side; a splitter that chooses the test itself says here how large it is."""
        return shares.wanted()

    def rounds(self, index: Index) -> int | None:
        """How many runs test every row once; None where it holds out the same rows in every run."""
        return None

    @abstractmethod
    def sides(self, index: Index, shares: Shares, seed: int) -> Sequence[str]:
        """For each row ``train``, ``validation`` or ``test``."""


SPLITTERS = Registry(__name__, Splitter)
