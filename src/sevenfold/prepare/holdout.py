"""Which rows are kept and which are held out."""

from __future__ import annotations

import heapq
from array import array
from collections import Counter

from sevenfold.errors import DataError
from sevenfold.prepare.collect import Intake
from sevenfold.prepare.overlap.near import Near
from sevenfold.prepare.section import PrepareSection, Split
from sevenfold.prepare.splits import Index
from sevenfold.prepare.union import Union

OVER_LIMIT = "over_limit"
"""The place of rows above ``limit``: no split."""


NEAR = "near_duplicate"
"""The place of rows that say nearly the same as one that stays."""


def choose_sides(section: PrepareSection, intake: Intake, near: Near | None = None) -> list[str]:
    """For each staged row its split, or that it is over the limit or a near-duplicate.

    Rows that are alike, directly or through others, count as asking the same, so that no split parts them.

    Raises:
        DataError: A split that is asked for would stay empty.
    """
    twins = near.twins if near else {}
    within = lowest(intake.ranks, section.limit, [row for row in range(len(intake.ranks)) if row not in twins])
    together = united(intake.openings, near)
    labels = [intake.labels[row] for row in within] if intake.labels else []
    index = Index([together.root(intake.openings[row]) for row in within], labels)
    split = section.split
    chosen = split.how.sides(index, split.shares, split.seed)
    check_enough(Counter(chosen), index, split)
    sides = [OVER_LIMIT] * len(intake.ranks)
    for row, side in zip(within, chosen, strict=True):
        sides[row] = side
    for row in twins:
        sides[row] = NEAR
    return sides


def united(openings: array[int], near: Near | None) -> Union[int]:
    """The questions that rows of one cluster ask, as one."""
    together = Union[int]()
    for members in near.clusters.sets().values() if near else ():
        for row in members[1:]:
            together.join(openings[members[0]], openings[row])
    return together


def lowest(ranks: array[int], limit: int | None, rows: list[int]) -> list[int]:
    """Those of some rows with the lowest ranks, at most ``limit``, in order of position."""
    if limit is None or limit >= len(rows):
        return rows
    return sorted(heapq.nsmallest(limit, rows, key=lambda row: (ranks[row], row)))


def check_enough(counts: Counter[str], index: Index, split: Split) -> None:
    """Refuse splits with an empty side, or with fewer rows than were asked for.

    Raises:
        DataError: There are too few rows, or too few different questions or groups.
    """
    asked = {"train": 1.0, **split.wanted}
    short = [side for side, share in asked.items() if counts[side] < (share if share >= 1 else 1)]
    if not short:
        return
    rows, openings = len(index.openings), len(set(index.openings))
    column = split.how.column
    groups = f", {len(set(index.labels))} values of {column!r}" if column else ""
    raise DataError(
        f"too few rows for the splits: {short[0]} gets {counts[short[0]]} of {rows} rows "
        f"({openings} different questions{groups})",
        where="prepare.split",
        expected=", ".join(f"{side}: {share:g}" for side, share in split.wanted.items()),
        next_step="add rows, or ask for less: split: {validation: 0, test: 0} holds out none",
    )
