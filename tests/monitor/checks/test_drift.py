import numpy as np
import pytest

from sevenfold.errors import RecipeError
from sevenfold.monitor.checks.drift import Drift
from sevenfold.monitor.window import Window
from sevenfold.schema import build
from tests.monitor import made

FIGURES = Drift.gives


def fresh_prompts(count):
    """Prompts of the same task that the baseline does not hold."""
    return made.task_prompts(1100)[500 : 500 + count]


@pytest.mark.parametrize("count", [50, 200])
def test_no_drift_is_no_alarm(count):
    finding = Drift().judge(made.asking(fresh_prompts(count)), made.baseline())
    assert finding.verdict == "ok", finding.reason
    assert set(FIGURES) <= set(finding.figures)


@pytest.mark.parametrize(
    ("foreign", "count"), [(made.persian_prompts, 50), (made.other_task, 50), (made.other_task, 200)]
)
@pytest.mark.parametrize("share", [0.2, 1.0])
def test_another_language_or_task_is_found(foreign, count, share):
    strangers = round(share * count)
    prompts = fresh_prompts(count - strangers) + foreign(strangers)
    finding = Drift().judge(made.asking(prompts), made.baseline())
    assert finding.verdict == "alarm", finding.reason
    assert finding.figures["p_value"] < 0.01


def test_longer_prompts_of_the_same_words_are_found_by_length():
    prompts = [prompt * 3 for prompt in fresh_prompts(100)]
    finding = Drift().judge(made.asking(prompts), made.baseline())
    assert finding.verdict == "alarm"
    assert "length" in finding.reason


def test_power_at_a_fifth_of_foreign_prompts():
    """20 windows of 50 prompts with 10 from another task: nearly all are found."""
    draw, known = np.random.default_rng(0), made.baseline()
    ours, strangers = made.task_prompts(1100)[500:], made.other_task(200)
    alarms = 0
    for _ in range(20):
        prompts = [*draw.choice(ours, 40, replace=False), *draw.choice(strangers, 10, replace=False)]
        alarms += Drift().judge(made.asking(prompts), known).verdict == "alarm"
    assert alarms >= 18


def test_false_alarms_are_measured_on_the_training_prompts():
    measured = Drift(trials=60).calibrate(made.baseline())
    assert measured["window"] == 200
    assert measured["alarms"] <= 3  # 0.6 are expected at most; more than 3 of 60 has a chance of 0.3 %
    assert measured["low"] <= measured["rate"] <= measured["high"]


def test_calibration_counts_every_alarm_when_the_check_is_broken():
    """The measure can fail: a check that takes any p-value raises alarms all the time, and is caught."""
    broken = Drift(trials=20, alpha=0.99, length_psi=0, words_js=0, trigram_energy=0, permutations=99)
    assert broken.calibrate(made.baseline())["rate"] > 0.3


def test_too_few_prompts_say_how_many_are_needed():
    finding = Drift().judge(made.asking(fresh_prompts(49)), made.baseline())
    assert finding.verdict == "unknown"
    assert "49 prompts; 50 are needed" in finding.reason
    assert finding.figures["p_value"] is None
    finding = Drift().judge(made.asking(fresh_prompts(60)), made.baseline(made.task_prompts(20)))
    assert "20 training prompts; 50 are needed" in finding.reason
    assert Drift().calibrate(made.baseline(made.task_prompts(60))) == {"trials": 0, "too_few": True, "needed": 100}


def test_permutations_that_cannot_reach_the_limit_are_refused():
    with pytest.raises(RecipeError, match=r"499 permutations cannot show p < 0[.]001; at least 3000 can"):
        build(Drift, {"alpha": 0.001}, "drift")


def test_requests_that_could_not_be_read_are_no_prompts():
    unread = [made.exchange(n, status=401, error="wrong key", messages=[]) for n in range(500, 700)]
    mixed = Window(made.asking(fresh_prompts(100)).exchanges + unread)
    finding = Drift().judge(mixed, made.baseline())
    assert finding.verdict == "ok"
    assert finding.figures["prompts"] == 100
