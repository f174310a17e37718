"""Exact tests and intervals of shares against other software's and the paper's own figures."""

import numpy as np
import pytest
from scipy import stats

from sevenfold.evaluate.shares import risk_interval, sign_test, wilson


@pytest.mark.parametrize(("wins", "losses"), [(0, 0), (3, 0), (7, 2), (50, 50), (400, 300), (1500, 1400)])
def test_sign_test_equals_scipys(wins, losses):
    expected = stats.binomtest(wins, wins + losses).pvalue if wins + losses else 1.0
    assert sign_test(wins, losses) == pytest.approx(expected)


@pytest.mark.parametrize(("right", "count"), [(0, 7), (3, 10), (60, 64), (9, 9)])
def test_wilson_equals_scipys(right, count):
    theirs = stats.binomtest(right, count).proportion_ci(method="wilson")
    assert wilson(right, count, 0.95) == pytest.approx((theirs.low, theirs.high))


def rows(both, won, lost, neither):
    tuned = [True] * (both + won) + [False] * (lost + neither)
    base = [True] * both + [False] * won + [True] * lost + [False] * neither
    return np.array(base), np.array(tuned)


def test_without_correlation_it_is_the_interval_of_two_groups():
    """Independent halves: both Wilson intervals' distances, root of the sum of squares."""
    base, tuned = rows(16, 16, 16, 16)
    low, high = wilson(32, 64, 0.95)
    reach = np.hypot(0.5 - low, high - 0.5)
    assert risk_interval(base, tuned, 0.95) == pytest.approx((-reach, reach))


@pytest.mark.parametrize("table", [(36, 12, 2, 0), (14, 5, 0, 22), (40, 3, 9, 12)])
def test_the_papers_formula_written_a_second_way(table):
    """In the paper's own terms: cells e, f, g, h; delta and epsilon; phi with its correction."""
    e, f, g, h = table
    n = e + f + g + h
    first, second = stats.binomtest(e + f, n), stats.binomtest(e + g, n)
    one, two = first.proportion_ci(method="wilson"), second.proportion_ci(method="wilson")
    p1, p2 = (e + f) / n, (e + g) / n
    determinant = e * h - f * g
    corrected = determinant - n / 2 if determinant > n / 2 else min(determinant, 0)
    phi = corrected / np.sqrt(max(1, (e + f) * (g + h) * (e + g) * (f + h)))
    dl1, du1, dl2, du2 = p1 - one.low, one.high - p1, p2 - two.low, two.high - p2
    delta = np.sqrt(dl1**2 - 2 * phi * dl1 * du2 + du2**2)
    epsilon = np.sqrt(du1**2 - 2 * phi * du1 * dl2 + dl2**2)
    assert risk_interval(*rows(*table), 0.95) == pytest.approx((p1 - p2 - delta, p1 - p2 + epsilon))


def test_equal_models_and_sides():
    assert risk_interval(*rows(10, 0, 0, 0), 0.95)[0] == pytest.approx(-risk_interval(*rows(10, 0, 0, 0), 0.95)[1])
    base, tuned = rows(20, 9, 2, 12)
    low, high = risk_interval(base, tuned, 0.95)
    assert risk_interval(tuned, base, 0.95) == pytest.approx((-high, -low))
