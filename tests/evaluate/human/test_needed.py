"""Shares and how many judgements they need, against exact sums and a reference library."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from sevenfold.evaluate.human.needed import duels_needed, power_of, wilson
from sevenfold.evaluate.paired import sign_test


@pytest.mark.parametrize(("wins", "count"), [(0, 7), (3, 7), (14, 20), (20, 20), (512, 1000)])
def test_wilson_is_scipys(wins, count) -> None:
    expected = binomtest(wins, count).proportion_ci(0.95, method="wilson")
    assert wilson(wins / count, count) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_nothing_known() -> None:
    assert wilson(0.0, 0) == (0.0, 1.0)


@pytest.mark.parametrize("share", [0.5, 0.6, 0.7, 0.85])
def test_wilson_holds_the_true_share_as_often_as_it_says(share) -> None:
    """Exactly, over every possible outcome; a single size may be a little off, the mean of many is not."""
    covered = []
    for count in range(40, 80):
        wins = np.arange(count + 1)
        ends = np.array([wilson(win / count, count) for win in wins])
        covered.append(binom.pmf(wins, count, share)[(ends[:, 0] <= share) & (share <= ends[:, 1])].sum())
    assert 0.94 < np.mean(covered) < 0.97
    assert min(covered) > 0.91


@pytest.mark.parametrize("share", [0.6, 0.7, 0.85, 0.2])
def test_so_many_duels_find_it_four_times_out_of_five(share) -> None:
    count = duels_needed(share, 1.0)
    wins = np.arange(count + 1)
    found = np.array([sign_test(int(win), int(count - win)) < 0.05 for win in wins])
    power = binom.pmf(wins, count, share)[found].sum()
    assert power_of(count, share, 0.95) == pytest.approx(power, abs=1e-12)
    assert 0.8 <= power < 0.9


def test_ties_come_on_top_and_no_preference_needs_no_end() -> None:
    assert duels_needed(0.7, 0.5) == pytest.approx(2 * duels_needed(0.7, 1.0), abs=1)
    assert duels_needed(1.0, 1.0) == 6
    assert duels_needed(0.5, 1.0) is None
    assert duels_needed(0.501, 1.0) is None
    assert duels_needed(0.7, 0.0) is None
