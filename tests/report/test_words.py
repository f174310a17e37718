"""Figures as people read them, and the parts of the plots that compute something."""

import pytest

from sevenfold.report.plots import POINTS, running, thinned
from sevenfold.report.words import duration, number, signed, size


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (98_000_000, "98 MB"), (1_430_000_000, "1.43 GB"), (5e15, "5,000 TB")],
)
def test_sizes(count, text):
    assert size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0.0 s"), (9.94, "9.9 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (7800, "2 h 10 min")]
)
def test_durations(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(12345, "12,345"), (2.0, "2"), (0.123456, "0.1235"), (12345.6, "12,346"), (None, "–"), (True, "True"), ("a", "a")],
)
def test_numbers(value, text):
    assert number(value) == text


def test_signs():
    assert (signed(0.5), signed(-0.25)) == ("+0.5", "−0.25")


def test_thinning_keeps_the_mean():
    ys = [float(i % 7) for i in range(POINTS * 4)]
    xs, means = thinned(list(range(len(ys))), ys)
    assert len(xs) == POINTS
    assert sum(means) / len(means) == pytest.approx(sum(ys) / len(ys))
    assert thinned([1, 2], [3, 4]) == ([1, 2], [3, 4])


def test_running_mean_equals_the_plain_one():
    values = [float(i * i % 13) for i in range(40)]
    plain = [sum(values[max(0, i - 4) : i + 1]) / len(values[max(0, i - 4) : i + 1]) for i in range(40)]
    assert running(values, 5) == pytest.approx(plain)
