"""The bootstrap against scipy's, against simulated truth, and on the edges."""

import numpy as np
import pytest
from scipy import stats

from sevenfold.evaluate import paired
from sevenfold.evaluate.metrics.exact_match import ExactMatch
from sevenfold.evaluate.metrics.loss import Loss
from sevenfold.evaluate.metrics.perplexity import Perplexity
from sevenfold.evaluate.metrics.rouge_l import RougeL
from sevenfold.evaluate.paired import Pairs, compare, resampled


def pairs(metric, base, tuned, weights=None):
    base, tuned = np.asarray(base, float), np.asarray(tuned, float)
    return Pairs(metric, base, tuned, np.ones_like(base) if weights is None else np.asarray(weights, float))


def random_losses(rows=40, seed=1):
    draw = np.random.default_rng(seed)
    tokens = draw.integers(3, 60, rows)
    base = draw.gamma(4, 0.5, rows)
    return base, base - 0.1 + draw.normal(0, 0.2, rows), tokens


@pytest.mark.parametrize("metric", [Loss(), Perplexity()])
def test_interval_equals_scipys_bca_of_the_ratio(metric):
    """At the level to which Student's quantile widens 95 % for 40 rows."""
    base, tuned, tokens = random_losses()

    def difference(b, t, w, axis=-1):
        total = w.sum(axis)
        return metric.finish((t * w).sum(axis) / total) - metric.finish((b * w).sum(axis) / total)

    theirs = stats.bootstrap(
        (base, tuned, tokens),
        difference,
        paired=True,
        vectorized=True,
        n_resamples=10_000,
        confidence_level=1 - 2 * stats.norm.cdf(-stats.t.ppf(0.975, 39) * np.sqrt(40 / 39)),
        rng=np.random.default_rng(3),
    ).confidence_interval
    ours = compare("x", pairs(metric, base, tuned, tokens), seed=3)
    assert ours.interval == pytest.approx(tuple(theirs), rel=1e-9)


def test_blocks_draw_as_one_by_one_does(monkeypatch):
    base, tuned, tokens = random_losses(rows=12)
    data = pairs(Loss(), base, tuned, tokens)
    whole = resampled(data, seed=5, resamples=1000)
    rng = np.random.default_rng(5)
    plain = [float(data.difference(rng.integers(0, 12, 12))) for _ in range(1000)]
    assert whole == pytest.approx(plain)
    monkeypatch.setattr(paired, "BLOCK", 100)
    assert resampled(data, seed=5, resamples=1000) == pytest.approx(plain)


def test_intervals_hold_the_truth_about_95_times_in_100():
    draw = np.random.default_rng(0)
    held, trials, gain = 0, 400, 0.03
    for trial in range(trials):
        base = draw.beta(2, 5, 64)
        tuned = base + gain + draw.normal(0, 0.1, 64)
        low, high = compare("x", pairs(RougeL(), base, tuned), seed=trial, resamples=1000).interval
        held += low <= gain <= high
    # 95 % of 400 within three standard errors (1.1 points), and a point for 64 rows not being many.
    assert 0.91 <= held / trials <= 0.98


def test_false_alarms_are_rare_on_the_token_weighted_loss():
    draw = np.random.default_rng(1)
    alarms, trials = 0, 400
    for trial in range(trials):
        base, _, tokens = random_losses(64, seed=trial)
        tuned = base + draw.normal(0, 0.2, 64)
        alarms += compare("x", pairs(Loss(), base, tuned, tokens), seed=trial, resamples=1000).better != "unclear"
    assert alarms / trials <= 0.09


def test_verdict_follows_the_metrics_direction():
    base, tuned, tokens = random_losses(rows=200)
    down = compare("loss", pairs(Loss(), base, tuned, tokens), seed=1)
    assert (down.better, down.difference < 0, down.effect_size > 0) == ("yes", True, True)
    assert down.interval[0] < down.difference < down.interval[1] < 0
    assert compare("loss", pairs(Loss(), tuned, base, tokens), seed=1).better == "no"
    assert compare("rouge_l", pairs(RougeL(), base, tuned), seed=1).better == "no"


def test_no_difference_is_unclear():
    same = compare("x", pairs(RougeL(), np.linspace(0, 1, 30), np.linspace(0, 1, 30)), seed=1)
    assert (same.better, same.difference, same.interval, same.rows_equal) == ("unclear", 0, (0, 0), 1)
    assert (same.effect_size, same.sign_test_p, same.detectable, same.p, same.same) == (0, 1, 0, 1, True)


def test_too_few_rows_are_unclear_however_large_the_difference():
    few = compare("x", pairs(RougeL(), [0.1] * 5, [0.9, 0.8, 0.9, 0.7, 0.9]), seed=1)
    enough = compare("x", pairs(RougeL(), [0.1] * 6, [0.9, 0.8, 0.9, 0.7, 0.9, 0.8]), seed=1)
    assert (few.better, enough.better) == ("unclear", "yes")
    one = compare("x", pairs(RougeL(), [0.1], [0.9]), seed=1)
    assert (one.better, one.rows_better) == ("unclear", 1)


def test_exact_match_needs_the_exact_test_too():
    base, tuned = np.zeros(64), np.zeros(64)
    tuned[:5] = 1
    five = compare("exact_match", pairs(ExactMatch(), base, tuned), seed=1)
    assert five.interval[0] > 0
    assert (five.better, five.sign_test_p) == ("unclear", 2 / 32)
    tuned[5] = 1
    six = compare("exact_match", pairs(ExactMatch(), base, tuned), seed=1)
    assert (six.better, six.sign_test_p) == ("yes", 2 / 64)


def test_p_is_the_level_at_which_the_interval_touches_zero():
    base, tuned, tokens = random_losses(rows=30, seed=5)
    data = pairs(Loss(), base, tuned + 0.08, tokens)
    drawn = resampled(data, seed=1, resamples=10_000)
    p = paired.p_value(data, drawn)
    assert 0.001 < p < 0.9
    ends = paired.interval(data, drawn, 1 - p)
    assert min(map(abs, ends)) < 0.02 * np.ptp(drawn)


def test_swaps_equal_scipys_exact_permutation_test():
    draw = np.random.default_rng(4)
    base = draw.beta(2, 5, 10)
    tuned = base + draw.normal(0.05, 0.1, 10)
    exact = stats.permutation_test(
        (tuned, base), lambda a, b: np.mean(a) - np.mean(b), permutation_type="samples", n_resamples=np.inf
    )
    assert paired.swap_test(pairs(RougeL(), base, tuned), 1, 20_000) == pytest.approx(exact.pvalue, abs=0.015)


def test_sure_but_too_small_to_matter_is_no_difference():
    """What a rate does that moves nothing: every row the same hair better."""
    draw = np.random.default_rng(3)
    base = draw.gamma(4, 0.5, 64)
    found = compare("loss", pairs(Loss(), base, base - 1e-5 + draw.normal(0, 1e-6, 64)), seed=1)
    assert found.p < 0.001
    assert found.interval[1] < 0
    assert (found.better, found.same) == ("unclear", True)
    assert found.negligible == pytest.approx(0.001 * base.mean())


def test_rows_needed_are_enough():
    """A difference of half the visible size needs four times the rows; then it is seen four times out of five."""
    draw = np.random.default_rng(6)
    base = draw.beta(2, 5, 50)
    away = draw.normal(0, 0.1, 50)
    found = compare("x", pairs(RougeL(), base, base + away - away.mean() + 0.01), seed=1)
    assert found.better == "unclear"
    assert found.rows_needed == pytest.approx(50 * (found.detectable / 0.01) ** 2, abs=1)
    seen = 0
    for trial in range(100):
        again = draw.choice(away - away.mean() + 0.01, found.rows_needed)
        seen += compare("x", pairs(RougeL(), again * 0, again), trial, 1000).better == "yes"
    assert 68 <= seen <= 92


@pytest.mark.parametrize(("rows", "share"), [(20, 0.5), (64, 0.1)])
def test_intervals_of_shares_hold_where_a_bootstrap_does_not(rows, share):
    draw, held, trials = np.random.default_rng(7), 0, 300
    for trial in range(trials):
        base = draw.random(rows) < share
        tuned = np.where(draw.random(rows) < 0.2, draw.random(rows) < share + 0.15, base)
        found = compare("x", pairs(ExactMatch(), base, tuned), seed=trial, resamples=1000)
        held += found.interval[0] <= 0.03 <= found.interval[1]
        assert found.interval_by == "Newcombe"
    assert held / trials >= 0.93


def test_the_stated_difference_is_found_four_times_out_of_five():
    draw = np.random.default_rng(2)
    base = draw.beta(2, 5, 64)
    noise = draw.normal(0, 0.1, (300, 64))
    stated = np.mean([compare("x", pairs(RougeL(), base, base + n), 1, 1000).detectable for n in noise[:20]])
    found = np.mean([compare("x", pairs(RougeL(), base, base + stated + n), 1, 1000).better == "yes" for n in noise])
    assert 0.72 <= found <= 0.88
