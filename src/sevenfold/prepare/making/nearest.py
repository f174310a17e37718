"""Whether a text says nearly the same as one that is there already."""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple

from sevenfold.prepare.dataset import Row
from sevenfold.prepare.overlap.bands import banding, signatures
from sevenfold.prepare.overlap.shingles import signed, similarity
from sevenfold.prepare.overlap.words import words_of
from sevenfold.prepare.shelf import Shelf

PERMUTATIONS = 128
GROUP = 1000


class Met(NamedTuple):
    """What a text is nearest to."""

    origin: str
    similarity: float


class Nearest:
    """The rows on a shelf, and those that are made: found by MinHash, confirmed by their Jaccard similarity.

    In memory are 12 bytes a band of each row on the shelf, about 250, and the texts of what is added.

    Args:
        shelf: The rows that are there.
        threshold: The similarity from which a text is near.
    """

    def __init__(self, shelf: Shelf, threshold: float) -> None:
        import numpy

        self.shelf, self.threshold = shelf, threshold
        self.cut = banding(threshold, PERMUTATIONS)
        keys, owners = [numpy.zeros(0, numpy.uint64)], [numpy.zeros(0, numpy.uint32)]
        rows, start = iter(shelf), 0
        while group := list(islice(rows, GROUP)):
            places, shingles = signed(list(map(said, group)), threshold)
            keys.append(signatures(shingles, self.cut).keys.reshape(-1))
            owners.append(numpy.repeat(numpy.array(places, numpy.uint32) + numpy.uint32(start), self.cut.bands))
            start += len(group)
        self.keys, self.owners = numpy.concatenate(keys), numpy.concatenate(owners)
        order = numpy.argsort(self.keys, kind="stable")
        self.keys, self.owners = self.keys[order], self.owners[order]
        self.added: dict[int, list[tuple[str, list[str]]]] = {}

    def met(self, row: Row) -> Met | None:
        """What a row says nearly the same as; of several the most alike."""
        words = said(row)
        found = {self.shelf.row(int(owner)).origin: said(self.shelf.row(int(owner))) for owner in self.owning(words)}
        found |= {origin: other for key in self.bands(words) for origin, other in self.added.get(key, ())}
        best = max(
            (Met(origin, similarity(words, other)) for origin, other in found.items()),
            key=lambda met: met[1:],
            default=None,
        )
        return best if best and best.similarity >= self.threshold else None

    def add(self, row: Row) -> None:
        """Know a made row from now on."""
        words = said(row)
        for key in self.bands(words):
            self.added.setdefault(key, []).append((row.origin, words))

    def bands(self, words: list[str]) -> list[int]:
        """The keys of a text."""
        _, shingles = signed([words], self.threshold)
        return [int(key) for key in signatures(shingles, self.cut).keys.reshape(-1)]

    def owning(self, words: list[str]) -> set[int]:
        """The rows on the shelf that share a band with a text."""
        import numpy

        wanted = numpy.array(self.bands(words), dtype=numpy.uint64)
        first, last = numpy.searchsorted(self.keys, wanted), numpy.searchsorted(self.keys, wanted, side="right")
        return {int(owner) for one, other in zip(first, last, strict=True) for owner in self.owners[one:other]}


def said(row: Row) -> list[str]:
    """The words of all turns but the system's, which many rows share."""
    return words_of("\n".join(turn.content for turn in row.conversation.messages if turn.role != "system"))
