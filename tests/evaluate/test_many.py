"""Many metrics: Holm's correction, by hand and by its false alarms."""

import numpy as np
import pytest
from scipy import stats

from sevenfold.evaluate.many import corrected, corrected_groups, holm
from sevenfold.evaluate.metrics.rouge_l import RougeL
from sevenfold.evaluate.paired import Pairs, compare


def test_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1, 1]
    assert holm([]) == []


def test_it_finds_all_that_bonferroni_finds():
    draw = np.random.default_rng(0)
    for _ in range(50):
        p = draw.random(6) ** 3
        adjusted = holm(list(p))
        assert all(one <= min(1, 6 * each) + 1e-12 for one, each in zip(adjusted, p, strict=True))
        assert all(one >= each for one, each in zip(adjusted, p, strict=True))


def comparison(name, draw, gain=0.0, rows=64, shared=0.0, trial=1):
    base = draw.beta(2, 5, rows)
    tuned = base + gain + shared + draw.normal(0, 0.07, rows)
    return compare(name, Pairs(RougeL(), base, tuned, np.ones(rows)), seed=trial, resamples=1000)


def test_ten_metrics_raise_no_more_alarms_than_one():
    draw, before, after, trials = np.random.default_rng(1), 0, 0, 60
    for trial in range(trials):
        shared = draw.normal(0, 0.07, 64)
        ten = {str(n): comparison(str(n), draw, shared=shared, trial=trial) for n in range(10)}
        before += any(one.better != "unclear" for one in ten.values())
        after += any(one.better != "unclear" for one in corrected(ten).values())
    assert before / trials > 0.12
    # The level and three standard errors of 60 trials.
    assert after / trials <= 0.05 + 3 * stats.binom.std(60, 0.05) / 60


def test_the_verdict_follows_the_corrected_level():
    draw = np.random.default_rng(2)
    clear = {"far": comparison("far", draw, gain=0.2)} | {str(n): comparison(str(n), draw) for n in range(9)}
    found = corrected(clear)
    assert (found["far"].better, found["far"].corrected_for) == ("yes", 10)
    assert found["far"].p_adjusted == pytest.approx(10 * found["far"].p)
    lone = found["far"].model_copy(update={"p": 0.03, "better": "yes"})
    assert corrected({"a": lone})["a"].better == "yes"
    assert corrected({"a": lone, "b": lone.model_copy(update={"p": 0.5})})["a"].better == "unclear"


def test_groups_are_one_family():
    draw = np.random.default_rng(3)
    groups = {group: {"x": comparison("x", draw, 0.2), "y": comparison("y", draw)} for group in ("one", "two")}
    found = corrected_groups(groups)
    assert {one.corrected_for for ones in found.values() for one in ones.values()} == {4}
    assert [found[group]["x"].better for group in ("one", "two")] == ["yes", "yes"]
