"""Which answer stands on the left: at random, as often the one model's as the other's, the same for the same seed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sevenfold.evaluate.human.contest import Duel, Meeting, hashed

BLOCKS = (4, 6, 8)
"""Lengths of the blocks. Each is half and half, so that who stops early has still seen both sides nearly as often; as
the lengths are drawn, nobody can tell from the last answers what the next one must be (permuted blocks of random
lengths, as in clinical trials)."""


def first_on_left(duels: Sequence[Duel], seed: int, annotator: str) -> list[bool]:
    """For each duel whether its first answer stands on the left.

    Every annotator has an order of their own, so that what the left side adds is not added to the same answers.

    Args:
        duels: The duels in the order in which they are asked.
        seed: The seed.
        annotator: Who is asked.
    """
    generator = np.random.default_rng([seed, int(hashed(annotator), 16)])
    places: dict[Meeting, list[int]] = {}
    for place, duel in enumerate(duels):
        places.setdefault(duel.meetings[0], []).append(place)
    found = [False] * len(duels)
    for own in places.values():
        for place, left in zip(own, balanced(len(own), generator), strict=True):
            found[place] = left
    return found


def balanced(count: int, generator: np.random.Generator) -> list[bool]:
    """Sides in permuted blocks: half of all, give or take one where the number is odd."""
    found: list[bool] = []
    while len(found) < count:
        size = min(int(generator.choice(BLOCKS)), count - len(found))
        half = size // 2
        odd = [bool(generator.random() < 0.5)] * (size % 2)
        found += [bool(side) for side in generator.permutation([True] * half + [False] * half + odd)]
    return found
