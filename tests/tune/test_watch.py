"""The watch on the loss."""

from __future__ import annotations

import math

import pytest

from sevenfold.errors import TrainingError
from sevenfold.tune import watch


@pytest.mark.parametrize(("loss", "norm"), [(math.nan, 1.0), (math.inf, 1.0), (1.0, math.nan)])
def test_not_a_number_stops(loss: float, norm: float) -> None:
    with pytest.raises(TrainingError, match=r"not a number[\s\S]*step 3"):
        watch.check([1.0, 1.0, loss], norm, 4.0, "step 3")


def test_a_jump_stops_and_noise_does_not() -> None:
    usual = [2.0, 2.2, 1.9, 2.1] * 5
    watch.check([*usual, 3.5], 1.0, 4.0, "step 21")
    with pytest.raises(TrainingError, match=r"jumped to 9\.000 from a median of 2"):
        watch.check([*usual, 9.0], 1.0, 4.0, "step 21")


def test_losses_near_zero_may_multiply() -> None:
    watch.check([0.01] * 20 + [0.1], 1.0, 4.0, "step 21")


def test_the_first_steps_are_not_compared() -> None:
    watch.check([1.0, 50.0], 1.0, 4.0, "step 2")


def test_patience_counts_validations_without_improvement() -> None:
    assert not watch.is_over({0: 3.0, 10: 2.0, 20: 2.1}, patience=2)
    assert watch.is_over({0: 3.0, 10: 2.0, 20: 2.1, 30: 2.0}, patience=2)
    assert not watch.is_over({0: 3.0, 10: 2.0, 20: 2.1, 30: 1.9}, patience=2)
    assert not watch.is_over({0: 3.0, 10: 4.0, 20: 5.0}, patience=None)
