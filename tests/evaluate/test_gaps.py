"""Gaps between groups: planted ones are found, equal groups are not called apart, intervals hold the truth."""

import numpy as np
import pytest

from sevenfold.evaluate.examined import Figure
from sevenfold.evaluate.gaps import ENOUGH_ROWS, gaps
from sevenfold.evaluate.metrics.macro_f1 import MacroF1
from sevenfold.evaluate.paired import Pairs

SHARE, LOSS = Figure("right", "", binary=True), Figure("loss", "", "lower")


def pairs(base, tuned, figure=SHARE):
    return Pairs(figure, np.array(base, dtype=float), np.array(tuned, dtype=float), np.ones(len(base)))


def groups_of(**counts):
    return [name for name, count in counts.items() for _ in range(count)]


def test_by_hand_with_groups_too_small_to_judge():
    base = [1] * 10 + [0] * 10 + [1] * 10 + [1, 1, 1, 0]
    tuned = [1] * 20 + [0] * 10 + [0, 0, 0, 0]
    found = gaps([*groups_of(a=10, b=10, c=10, d=3), None], {"right": pairs(base, tuned)}, 1, 1000, 0.95)["right"]
    assert (found.base.worst, found.base.gap) == ("b", 1.0)
    assert (found.tuned.worst, found.tuned.gap) == ("c", 1.0)
    assert found.tuned.figures == {"a": 1, "b": 1, "c": 0}
    assert found.small == {"d": 3}
    assert found.rows == {"a": 10, "b": 10, "c": 10}
    assert found.clear
    assert (found.change, found.word) == (0.0, "unclear")
    assert "d (3)" in found.said()


def test_the_worst_group_of_a_loss_is_the_highest_and_a_widened_gap_is_told():
    draw = np.random.default_rng(0)
    base = draw.normal(2, 0.3, 120)
    tuned = base - np.repeat([1.0, 0.0], 60)
    found = gaps(groups_of(easy=60, hard=60), {"loss": pairs(base, tuned, LOSS)}, 1, 1000, 0.95)["loss"]
    assert (found.tuned.worst, found.tuned.best, found.word, found.clear) == ("hard", "easy", "widened", True)
    assert found.change_interval[0] < found.change < found.change_interval[1] + 0.2


def test_one_group_or_too_few_rows_give_no_gap():
    values = pairs([1] * 30, [1] * 30)
    assert gaps(["a"] * 30, {"right": values}, 1, 1000, 0.95) == {}
    few = ENOUGH_ROWS - 1
    assert gaps(["a"] * (30 - few) + ["b"] * few, {"right": values}, 1, 1000, 0.95) == {}


def test_a_metric_that_is_more_than_a_mean_has_its_own_figure_in_each_group():
    references = ["x", "y"] * 20
    answers = ["x", "y"] * 10 + ["x", "x"] * 10
    metric = MacroF1()
    table = metric.table(answers, references)
    both = Pairs(metric, table[:, 0], table[:, 0], np.ones(40), (table, table))
    found = gaps(groups_of(a=20, b=20), {"macro_f1": both}, 1, 1000, 0.95)["macro_f1"]
    assert found.tuned.figures["a"] == pytest.approx(1)
    assert found.tuned.figures["b"] == pytest.approx(1 / 3)
    assert found.change == 0


@pytest.mark.slow
def test_groups_that_are_alike_are_seldom_called_apart():
    """The permutation test keeps its level: 5 % of 200 draws of four equal groups, give or take three errors."""
    alarms = []
    for seed in range(200):
        right = np.random.default_rng(seed).random(100) < 0.6
        found = gaps(groups_of(a=25, b=25, c=25, d=25), {"right": pairs(right, right)}, seed, 1000, 0.95)["right"]
        alarms.append(found.clear)
    assert np.mean(alarms) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)


@pytest.mark.slow
@pytest.mark.parametrize("means", [(2.0, 2.3, 2.8), (2.0, 2.7, 2.8)])
def test_intervals_hold_the_true_gap(means):
    held = []
    for seed in range(150):
        draw = np.random.default_rng(1000 + seed)
        values = np.concatenate([draw.normal(mean, 0.5, 40) for mean in means])
        found = gaps(groups_of(a=40, b=40, c=40), {"loss": pairs(values, values, LOSS)}, seed, 1000, 0.95)["loss"]
        low, high = found.tuned.interval
        held.append(low <= max(means) - min(means) <= high)
    assert np.mean(held) >= 0.9
