"""What so many rows can show: against simulated rows."""

import numpy as np
import pytest
from scipy import stats

from sevenfold.evaluate.metrics.exact_match import ExactMatch
from sevenfold.evaluate.metrics.loss import Loss
from sevenfold.evaluate.power import clear_wins, detectable_mean, detectable_share, power_of_share, promise
from sevenfold.evaluate.shares import sign_test


@pytest.mark.parametrize("decided", [0, 5, 6, 9, 40])
def test_the_fewest_clear_wins(decided):
    clear = [wins for wins in range(decided + 1) if 2 * wins > decided and sign_test(wins, decided - wins) < 0.05]
    assert clear_wins(decided, 0.05) == (clear[0] if clear else decided + 1)


@pytest.mark.parametrize(("count", "decided", "difference"), [(64, 0.2, 0.1), (30, 0.5, 0.3), (200, 0.05, 0.05)])
def test_the_power_of_mcnemars_test_is_what_simulated_rows_find(count, decided, difference):
    draw = np.random.default_rng(0)
    numbers = draw.binomial(count, decided, 4000)
    wins = draw.binomial(numbers, (1 + difference / decided) / 2)
    found = np.mean([w > n - w and sign_test(int(w), int(n - w)) < 0.05 for w, n in zip(wins, numbers, strict=True)])
    assert power_of_share(count, decided, difference, 0.05) == pytest.approx(found, abs=0.03)


def test_a_detectable_share_has_the_power_that_is_promised():
    for count in (20, 64, 500):
        assert power_of_share(count, 0.2, detectable_share(count, 0.2, 0.05), 0.05) == pytest.approx(0.8, abs=0.01)
    assert detectable_share(64, 0.0, 0.05) < detectable_share(64, 0.5, 0.05) < detectable_share(20, 0.5, 0.05)
    assert detectable_share(5, 0.0, 0.05) == 1


def test_a_detectable_mean_has_the_power_of_the_t_test():
    size = detectable_mean(1 / np.sqrt(64), 64, 0.05)
    away = size * 8 * np.sqrt(63 / 64)
    power = stats.nct.sf(stats.t.ppf(0.975, 63), 63, away)
    assert power == pytest.approx(0.8, abs=0.01)


def test_the_promise_names_every_metric():
    binary, other = promise([("exact_match", ExactMatch()), ("loss", Loss())], 64, 0.05)
    assert binary.startswith("with 64 rows exact_match must change by 0.12 to show if no row gets worse, and by 0.2")
    assert other.startswith("with 64 rows loss must change by 0.36 times the standard deviation")
