"""Near-duplicates among the staged rows: found by MinHash, confirmed by their true Jaccard similarity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sevenfold.prepare.overlap.alike import Alike
from sevenfold.prepare.overlap.bands import Banding, banding, least_equal
from sevenfold.prepare.overlap.comparing import Compare, Compared
from sevenfold.prepare.overlap.gathering import gathered
from sevenfold.prepare.overlap.settings import NearDuplicates
from sevenfold.prepare.overlap.signing import Sign, SignedRows
from sevenfold.prepare.overlap.twins import Twins
from sevenfold.prepare.places import Crew
from sevenfold.prepare.shelf import batches

if TYPE_CHECKING:
    from sevenfold.console import Console


@dataclass
class Near(Alike):
    """What is known of the rows that say nearly the same.

    Args:
        banding: How the signatures were cut.
        overflowed: How often a row met more texts than are remembered, so that a pair may have been missed.
    """

    banding: Banding = field(kw_only=True)
    overflowed: int = 0

    def take_over(self, compared: Compared) -> None:
        """Know what was found among some rows; no others are alike to these."""
        self.clusters.parent |= compared.clusters.parent
        self.twins.update(compared.twins)
        self.overflowed += compared.overflowed


def find_near(path: Path, settings: NearDuplicates, ranks: Sequence[int], console: Console, crew: Crew) -> Near:
    """The near-duplicates of a file of rows.

    Of each row 8 bytes a band and a sketch of 64 lie on the disk meanwhile, with the default settings 232; some 100 are
    in memory.
    Texts are read again from the file where two rows share a band.

    Args:
        path: The staged rows.
        settings: From which similarity, and whether all but one are dropped.
        ranks: For each row a number from its content, which decides between rows of equal length.
        console: Where progress goes.
        crew: Who makes the signatures and compares.

    Returns:
        Clusters and dropped rows. Each row of a cluster is at least as similar to another of it as the settings ask,
        each dropped row to the one that stays. The longest stays, so that the order of rows does not matter.
    """
    import numpy

    near = Near(twins=Twins(len(ranks)), banding=banding(settings.threshold, settings.permutations))
    with SignedRows(path.parent) as found:
        with console.task("near-duplicates (rows)", len(ranks)) as task:
            for signed in crew.each(Sign(near.banding, settings.threshold), batches(path)):
                found.add(signed)
                task.advance(len(signed.lengths))
        rows, lengths = numpy.array(found.rows, dtype=numpy.int64), numpy.array(found.lengths, dtype=numpy.int64)
        order = numpy.lexsort((numpy.array(ranks, dtype=numpy.uint64)[rows], -lengths[rows]))
        signatures = found.signatures()
        least = least_equal(settings.threshold, signatures.sketches.shape[1])
        gatherings = gathered(signatures, rows, order, len(ranks), least)
        for compared in crew.each(Compare(path, settings), gatherings):
            near.take_over(compared)
    return near
