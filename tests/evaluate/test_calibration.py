"""How sure the calibration error is: its interval, and what exact probabilities would have on as many rows."""

import numpy as np
import pytest

from sevenfold.evaluate.labels import error, spread


def said(rows, away, seed):
    """Answers with probabilities that are right, or too sure by ``away``."""
    draw = np.random.default_rng(seed)
    sure = draw.uniform(0.55, 0.98 - away, rows)
    right = draw.random(rows) < sure
    told = sure + away
    answers = [{"text": "yes", "labels": {"yes": float(p), "no": float(1 - p)}} for p in told]
    return answers, ["yes" if one else "no" for one in right]


def test_the_error_is_that_of_the_bins():
    found = spread(*said(200, 0.1, 1))
    by_hand = sum(abs(p - right) * rows for p, right, rows in found.bins) / 200
    assert found.calibration_error == pytest.approx(by_hand)
    low, high = found.calibration_interval
    assert low < found.calibration_error < high + 0.1
    assert error(np.array([0.9, 0.9]), np.array([1.0, 0.0])) == pytest.approx(0.4)


def test_who_is_too_sure_is_beyond_chance_and_who_is_right_is_not():
    too_sure = [spread(*said(400, 0.15, seed)) for seed in range(8)]
    assert all(one.calibration_error > one.calibration_chance for one in too_sure)
    exact = [spread(*said(200, 0.0, seed)) for seed in range(20)]
    assert np.mean([one.calibration_error > one.calibration_chance for one in exact]) <= 0.2


@pytest.mark.slow
def test_the_interval_holds_the_true_error():
    """The probabilities are 0.15 too high everywhere, so that is the true error."""
    held = []
    for seed in range(100):
        low, high = spread(*said(400, 0.15, seed)).calibration_interval
        held.append(low <= 0.15 <= high)
    assert np.mean(held) >= 0.88


def test_without_probabilities_there_is_none():
    found = spread([{"text": "yes"}], ["yes"])
    assert (found.calibration_error, found.calibration_interval, found.calibration_chance) == (None, None, None)
