"""The interval over folds by hand and by simulation; rows that stand twice."""

import numpy as np
import pytest

from sevenfold.folds.pooled import over_folds, spread, twice


def test_by_hand():
    # t with 4 degrees of freedom at 97.5 %: 2.776; deviation of 1..5: sqrt(2.5).
    low, high = over_folds([1, 2, 3, 4, 5], tested=20, trained=80, confidence=0.95)
    reach = 2.776445 * np.sqrt(2.5) * np.sqrt(1 / 5 + 20 / 80)
    assert (low, high) == pytest.approx((3 - reach, 3 + reach), rel=1e-5)
    assert over_folds([1.0], 1, 1, 0.95) is None
    assert spread([2.0, 4.0]) == {"mean": 3.0, "deviation": pytest.approx(2**0.5), "lowest": 2.0, "highest": 4.0}
    assert spread([2.0])["deviation"] == 0.0


def test_rows_that_stand_twice_are_counted():
    row = {"origin": "a:1", "prompt": [], "reference": "x"}
    assert twice([row, {**row, "origin": "a:2"}]) == 0
    assert twice([row, row, {**row, "origin": "a:2"}]) == 1


def test_the_interval_holds_the_true_difference_where_the_plain_one_is_too_sure():
    """A line fitted to 40 noisy points against their mean, five folds; the truth is the mean over 2,000 data sets."""

    def differences(draw):
        x = draw.uniform(-1, 1, 40)
        y = 0.5 * x + draw.normal(0, 1, 40)
        folds = np.arange(40) % 5
        found = []
        for fold in range(5):
            train, test = folds != fold, folds == fold
            slope, level = np.polyfit(x[train], y[train], 1)
            line = (y[test] - slope * x[test] - level) ** 2
            found.append(float(line.mean() - ((y[test] - y[train].mean()) ** 2).mean()))
        return found

    every = [differences(np.random.default_rng(seed)) for seed in range(2000)]
    truth = np.mean(every)
    held = [low <= truth <= high for low, high in (over_folds(one, 8, 32, 0.95) for one in every[:600])]
    plain = [low <= truth <= high for low, high in (over_folds(one, 0, 32, 0.95) for one in every[:600])]
    assert np.mean(held) >= 0.93
    assert np.mean(plain) < np.mean(held)
