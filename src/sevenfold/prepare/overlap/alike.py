"""Rows that say the same, however that was found: who belongs together, and who is dropped for whom."""

from __future__ import annotations

from dataclasses import dataclass, field

from sevenfold.prepare.overlap.twins import Twins
from sevenfold.prepare.union import Union


@dataclass
class Alike:
    """What is known of rows that are alike.

    Args:
        clusters: Rows that are alike, directly or through others; rows without another are not in it.
        twins: The rows that are dropped, each with the one that stays.
    """

    clusters: Union[int] = field(default_factory=Union)
    twins: Twins = field(default_factory=Twins)


Sought = dict[str, Alike]
"""What was sought, by the reason for which its rows are dropped; an earlier one's rows are not sought by the next."""
