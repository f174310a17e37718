"""Schedules by their formulas."""

from __future__ import annotations

import pytest

from sevenfold.tune.schedules.constant import Constant
from sevenfold.tune.schedules.cosine import Cosine
from sevenfold.tune.schedules.linear import Linear


def test_warmup_rises_in_a_straight_line_and_is_never_zero() -> None:
    factors = [Linear(warmup=0.4).factor(step, 10) for step in range(10)]
    assert factors[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert factors[5:] == pytest.approx([5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6])


def test_cosine_ends_at_its_floor() -> None:
    schedule = Cosine(warmup=0.0, floor=0.1)
    assert schedule.factor(0, 100) == 1.0
    assert schedule.factor(50, 100) == pytest.approx(0.55)
    assert schedule.after_warmup(1.0) == pytest.approx(0.1)


def test_constant_is_constant() -> None:
    assert {Constant(warmup=0.0).factor(step, 7) for step in range(7)} == {1.0}
