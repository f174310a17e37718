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


@pytest.mark.parametrize("usual", [[-5.0, -4.8, -5.2, -5.1] * 5, [0.4, -0.3, 0.1, -0.6] * 5, [-0.02, 0.01] * 10])
def test_losses_that_are_negative_or_about_zero_wander_and_do_not_jump(usual: list[float]) -> None:
    """Of a policy's loss the sign means nothing: only how far it goes from where it usually is."""
    watch.check([*usual, max(usual) + 0.9], 1.0, 4.0, "step 21")
    watch.check([*usual, min(usual) - 50.0], 1.0, 4.0, "step 21")
    with pytest.raises(TrainingError, match="jumped to 20"):
        watch.check([*usual, 20.0], 1.0, 4.0, "step 21")


def test_a_negative_loss_may_rise_by_less_than_its_own_size() -> None:
    # Four times a negative median lies below it, so the plain rule would call every rise by one a spike.
    watch.check([-5.0, -4.8] * 10 + [-3.0], 1.0, 4.0, "step 21")


def test_losses_that_wander_far_have_to_go_further() -> None:
    squares = [2.0, 30.0, 4.0, 9.0] * 5
    watch.check([*squares, 60.0], 1.0, 4.0, "step 21")
    with pytest.raises(TrainingError, match=r"jumped to 95\.000 from a median of 6\.5"):
        watch.check([*squares, 95.0], 1.0, 4.0, "step 21")


def test_the_first_steps_are_not_compared() -> None:
    watch.check([1.0, 50.0], 1.0, 4.0, "step 2")


def test_patience_counts_validations_without_improvement() -> None:
    assert not watch.is_over({0: 3.0, 10: 2.0, 20: 2.1}, patience=2)
    assert watch.is_over({0: 3.0, 10: 2.0, 20: 2.1, 30: 2.0}, patience=2)
    assert not watch.is_over({0: 3.0, 10: 2.0, 20: 2.1, 30: 1.9}, patience=2)
    assert not watch.is_over({0: 3.0, 10: 4.0, 20: 5.0}, patience=None)
