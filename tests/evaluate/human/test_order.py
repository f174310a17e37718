"""Which answer stands on the left."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from sevenfold.evaluate.human.contest import Duel
from sevenfold.evaluate.human.order import balanced, first_on_left


def duels(count: int, *meetings) -> list[Duel]:
    kinds = meetings or (("base", "tuned"),)
    return [Duel(f"{n}", "", [], "", ("a", "b"), (kinds[n % len(kinds)],)) for n in range(count)]


@pytest.mark.parametrize("count", [0, 1, 2, 5, 37, 100, 1001])
def test_each_model_is_as_often_on_the_left(count) -> None:
    for name in ("ada", "bob", "eve"):
        left = sum(first_on_left(duels(count), 17, name))
        assert abs(2 * left - count) <= 1


def test_who_stops_early_has_seen_both_sides_nearly_as_often() -> None:
    sides = np.cumsum([1 if side else -1 for side in first_on_left(duels(2000), 17, "ada")])
    assert np.abs(sides).max() <= 4


def test_every_two_models_are_balanced_on_their_own() -> None:
    asked = duels(90, ("base", "x"), ("base", "y"), ("x", "y"))
    sides = first_on_left(asked, 5, "ada")
    assert all(sum(sides[kind::3]) == 15 for kind in range(3))


def test_the_same_seed_and_name_give_the_same_sides_and_others_do_not() -> None:
    asked = duels(64)
    assert first_on_left(asked, 17, "ada") == first_on_left(asked, 17, "ada")
    assert first_on_left(asked, 17, "ada") != first_on_left(asked, 17, "bob")
    assert first_on_left(asked, 17, "ada") != first_on_left(asked, 18, "ada")
    apart = np.mean([a != b for a, b in zip(*(first_on_left(duels(2000), 1, n) for n in "ab"), strict=True)])
    assert 0.45 < apart < 0.55


def test_the_last_side_does_not_tell_the_next() -> None:
    """A strict turn would change sides always, and one answer that is known would give all away."""
    sides = balanced(20_000, np.random.default_rng(1))
    assert 0.5 < np.mean([a != b for a, b in pairwise(sides)]) < 0.65
