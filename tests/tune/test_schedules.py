"""Schedules by their formulas."""

from __future__ import annotations

from itertools import pairwise

import pytest

from sevenfold.tune.schedules import SCHEDULES
from sevenfold.tune.schedules.constant import Constant
from sevenfold.tune.schedules.cosine import Cosine
from sevenfold.tune.schedules.exponential import Exponential
from sevenfold.tune.schedules.inverse_sqrt import InverseSqrt
from sevenfold.tune.schedules.linear import Linear
from sevenfold.tune.schedules.polynomial import Polynomial
from sevenfold.tune.schedules.restarts import Restarts
from sevenfold.tune.schedules.wsd import Wsd


def test_warmup_rises_in_a_straight_line_and_is_never_zero() -> None:
    factors = [Linear(warmup=0.4).factor(step, 10) for step in range(10)]
    assert factors[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert factors[5:] == pytest.approx([5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6])


def test_cosine_ends_at_its_floor() -> None:
    schedule = Cosine(warmup=0.0, floor=0.1)
    assert schedule.factor(0, 100) == 1.0
    assert schedule.factor(50, 100) == pytest.approx(0.55)
    assert schedule.after_warmup(1.0) == pytest.approx(0.1)


def test_polynomial_by_hand() -> None:
    assert Polynomial(warmup=0.0, power=2.0, floor=0.2).after_warmup(0.5) == pytest.approx(0.2 + 0.8 * 0.25)


def test_exponential_falls_by_the_same_share() -> None:
    factors = [Exponential(warmup=0.0, end=0.01).factor(step, 4) for step in range(4)]
    assert [b / a for a, b in pairwise(factors)] == pytest.approx([0.01**0.25] * 3)


def test_wsd_stays_then_falls() -> None:
    factors = [Wsd(warmup=0.1, fall=0.5).factor(step, 20) for step in range(20)]
    assert factors[:2] == pytest.approx([1 / 3, 2 / 3])
    assert factors[2:12] == [1.0] * 10
    assert factors[12] == pytest.approx(1 - (1 / 9) ** 0.5)
    assert all(later < before for before, later in pairwise(factors[11:]))


def test_restarts_begin_again() -> None:
    schedule = Restarts(warmup=0.0, cycles=2, floor=0.1)
    assert [schedule.after_warmup(share) for share in (0.0, 0.25, 0.5, 0.75, 1.0)] == pytest.approx(
        [1.0, 0.55, 1.0, 0.55, 0.1]
    )


def test_inverse_sqrt_never_ends() -> None:
    assert InverseSqrt(scale=0.1).after_warmup(0.1) == pytest.approx(0.5**0.5)
    assert InverseSqrt(scale=0.1).after_warmup(1.0) == pytest.approx(11**-0.5)


@pytest.mark.parametrize("name", SCHEDULES.names())
@pytest.mark.parametrize("total", [1, 2, 7, 100])
def test_every_schedule_stays_between_zero_and_one(name, total) -> None:
    schedule = SCHEDULES.find(name)()
    factors = [schedule.factor(step, total) for step in range(total)]
    assert min(factors) >= 0
    assert max(factors) <= 1
    # The first step learns something.
    assert factors[0] > 0


def test_constant_is_constant() -> None:
    assert {Constant(warmup=0.0).factor(step, 7) for step in range(7)} == {1.0}
