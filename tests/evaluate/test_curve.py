"""A made curve of each kind gets its name, its evidence and its advice."""

import numpy as np
import pytest

from sevenfold.evaluate.curve import ADVICE, read_curve
from sevenfold.evaluate.levers import stops_at
from sevenfold.evaluate.trained import Trained
from sevenfold.tune.watch import is_over
from tests.evaluate.made_curves import KINDS, Maker, draw, linear

STEPS = np.arange(200)
NOISE = np.random.default_rng(0).normal(0, 0.05, 200)
DECAY = 1.2 + 1.0 * np.exp(-STEPS / 30)


def verdict(losses, validation=None):
    return read_curve(list(losses), validation or {}).verdict


@pytest.mark.parametrize(
    ("kind", "losses", "validation"),
    [
        ("healthy", DECAY + NOISE, {}),
        ("healthy", DECAY + NOISE, {0: 2.3, 100: 1.4, 200: 1.41}),
        ("healthy", DECAY + 4 * NOISE, {}),
        ("underfit", 2.2 - 0.004 * STEPS + NOISE, {}),
        ("underfit", 2.2 - 0.004 * STEPS + NOISE, {0: 2.2, 100: 1.8, 200: 1.45}),
        ("overfit", DECAY + NOISE, {0: 2.3, 50: 1.5, 100: 1.55, 200: 1.9}),
        ("fluctuating", DECAY + 0.5 * np.sin(STEPS / 8) + NOISE, {}),
        ("diverging", 1.2 + np.exp(STEPS / 150) + NOISE, {}),
        ("diverging", [*DECAY[:50], float("nan")], {}),
        ("diverging", [*DECAY[:50], float("inf"), 3.0], {}),
        ("too little signal", 2.0 + NOISE, {}),
        ("too little signal", DECAY[:9], {}),
        ("too little signal", [2.0], {}),
        ("not trained", [], {}),
        # Losses about zero and below, as of preferences and of policies.
        ("healthy", DECAY - 1.2 + NOISE, {0: 0.693, 100: 0.001, 200: 0.002}),
        ("overfit", DECAY - 1.2 + NOISE, {0: 0.693, 100: 0.001, 200: 0.2}),
        ("healthy", DECAY - 5 + NOISE, {0: -2.0, 100: -3.78, 200: -3.75}),
        ("overfit", DECAY - 5 + NOISE, {0: -2.0, 100: -3.78, 200: -3.0}),
        ("too little signal", -3.0 + NOISE, {0: -3.0, 200: -3.01}),
        ("healthy", -3.0 + NOISE + np.where(STEPS < 100, 0.1, 0.0), {}),
    ],
)
def test_each_kind(kind, losses, validation):
    found = read_curve(list(losses), validation)
    assert found.verdict == kind, found
    assert found.advice == ADVICE[kind]
    assert found.reason


def test_evidence_holds_the_figures():
    found = read_curve(list(DECAY + NOISE), {0: 2.3, 100: 1.4, 200: 1.41})
    assert found.evidence["noise"] == pytest.approx(0.05, rel=0.25)
    assert found.evidence["start"] == pytest.approx(DECAY[:20].mean(), abs=0.03)
    assert found.evidence["validation_best"] == 1.4
    assert found.evidence["best_step"] == 100
    assert all(np.isfinite(value) for value in found.evidence.values())


def test_not_a_number_names_its_step():
    assert "step 51 is nan" in read_curve([*DECAY[:50], float("nan")], {}).reason


def test_noise_alone_is_not_called_learning():
    """Flat curves get a verdict other than too little signal in at most a few of a hundred draws."""
    draws = np.random.default_rng(3).normal(2, 0.3, (300, 60))
    assert np.mean([verdict(losses) != "too little signal" for losses in draws]) < 0.03


@pytest.mark.parametrize("kind", KINDS)
def test_most_draws_of_a_kind_get_its_name(kind):
    """Forty draws at a noise of 15 % of the fall; docs/curves.md has the table over lengths and noises."""
    right = np.mean([read_curve(*draw(kind, seed, 100, 0.15)).verdict == KINDS[kind] for seed in range(40)])
    assert right >= (0.6 if kind == "little" else 0.9)


def test_a_healthy_curve_is_seldom_called_ill():
    draws = [draw("healthy", seed, steps, noise) for seed in range(20) for steps in (40, 150) for noise in (0.05, 0.3)]
    assert np.mean([read_curve(*one).verdict == "healthy" for one in draws]) >= 0.97


def test_the_step_from_which_it_went_wrong_is_near_the_jump():
    away = []
    for seed in range(20):
        maker = Maker(seed, 100, 0.1)
        found = read_curve(list(maker.jumped()[0]), {})
        assert found.verdict == "diverging"
        away.append(abs(found.since - maker.jump))
    assert max(away) <= 20
    assert np.median(away) <= 8


def test_a_schedule_that_goes_to_zero_does_not_hide_that_it_was_still_learning():
    """The loss is a straight line in the way that the rates went, so its last steps are flat."""
    rates = linear(200)
    losses = 3 - 1.5 * np.cumsum(rates) / rates.sum() + 0.2 * NOISE
    assert verdict(losses) == "healthy"
    found = read_curve(list(losses), {}, Trained(rates=list(rates)))
    assert found.verdict == "underfit"
    assert "of the way that the learning rates went" in found.reason


SETTINGS = {
    "rows": 80,
    "batch": 8,
    "epochs": 20.0,
    "steps": None,
    "learning_rate": 1e-3,
    "clip": 1.0,
    "patience": None,
    "schedule": "linear",
    "warmup": 0.05,
    "optimizer": "adamw",
    "weight_decay": 0.0,
    "method": "lora",
    "rank": 16,
}


def pulled(losses, validation, norms=(), **changes):
    trained = Trained(rates=[1e-3] * len(losses), norms=norms, settings={**SETTINGS, **changes})
    found = read_curve(list(losses), validation, trained)
    return found, {lever.key: (lever.now, lever.next) for lever in found.levers}


def test_overfit_names_the_length_the_patience_the_rows_and_the_rank():
    found, keys = pulled(DECAY + NOISE, {0: 2.3, 50: 1.5, 100: 1.55, 150: 1.7, 200: 1.9})
    assert found.verdict == "overfit"
    assert found.since == 50
    assert keys == {
        "tune.epochs": (20.0, 5.0),
        "tune.patience": (None, 2),
        "rows": (80, 160),
        "tune.method.lora.rank": (16, 8),
        "tune.optimizer.adamw.weight_decay": (0.0, 0.1),
    }
    assert "tune.epochs 20 -> 5 (validation was best at step 50 of 200)" in found.advice
    assert (found.stop.step, found.stop.spared, found.stop.patience) == (150, 50, 2)


def test_overfit_from_the_first_step_on_is_a_matter_of_the_rate():
    found, keys = pulled(DECAY + NOISE, {0: 1.5, 100: 1.55, 200: 1.9})
    assert found.since == 0
    assert keys["tune.learning_rate"] == (1e-3, 1e-4)
    assert "tune.epochs" not in keys


def test_diverging_names_the_rate_the_warm_up_and_a_limit_that_would_have_held():
    norms = [0.5] * 5 + [40.0] * 195
    losses = np.where(STEPS < 5, 2.0, 4.0) + NOISE
    found, keys = pulled(losses, {}, norms, clip=None)
    assert found.verdict == "diverging"
    assert found.since == 6
    assert keys == {
        "tune.learning_rate": (1e-3, 1e-4),
        "tune.schedule.linear.warmup": (0.05, 0.1),
        "tune.clip": (None, 1.0),
    }
    assert "with a jump at step 6" in found.reason


def test_where_most_steps_were_clipped_another_limit_is_not_the_advice():
    losses = np.where(STEPS < 60, DECAY, 2.5) + NOISE
    found, keys = pulled(losses, {}, [5.0] * 200)
    assert found.evidence["clipped"] == 1.0
    assert "100% of the steps were clipped" in found.reason
    assert list(keys) == ["tune.learning_rate"]


def test_underfit_and_too_little_signal_name_longer_and_faster():
    _, keys = pulled(2.2 - 0.004 * STEPS + NOISE, {}, steps=200, epochs=None)
    assert keys == {
        "tune.steps": (200, 400),
        "tune.learning_rate": (1e-3, 2e-3),
        "tune.method.lora.rank": (16, 32),
    }
    _, keys = pulled(2.0 + NOISE, {})
    assert keys == {"tune.learning_rate": (1e-3, 1e-2), "tune.batch": (8, 16)}
    _, keys = pulled(DECAY[:5], {})
    assert keys == {"tune.epochs": (20.0, 200.0)}


def test_gradients_that_are_zero_are_told():
    found, _ = pulled(np.full(200, 2.0), {}, [0.0] * 200)
    assert found.verdict == "too little signal"
    assert "every gradient was zero" in found.reason


def test_validation_that_goes_up_and_down_fluctuates_and_what_falls_does_not():
    up_and_down = {0: 2.3, 25: 1.5, 50: 1.9, 75: 1.45, 100: 1.8, 125: 1.4, 200: 1.41}
    found = read_curve(list(DECAY + NOISE), up_and_down)
    assert found.verdict == "fluctuating"
    assert found.since == 25
    assert verdict(DECAY + NOISE, {0: 2.3, 50: 1.5, 100: 1.49, 150: 1.5, 200: 1.49}) == "healthy"


@pytest.mark.parametrize(
    ("validation", "patience", "step"),
    [
        ({0: 2, 1: 1, 2: 1.1, 3: 1.2}, 2, 3),
        ({0: 2, 1: 1, 2: 1.1, 3: 0.9}, 2, None),
        ({0: 1, 5: 1}, 1, 5),
        ({}, 1, None),
    ],
)
def test_early_stopping_is_that_of_the_trainer(validation, patience, step):
    assert stops_at(validation, patience) == step
    seen = {}
    stopped = None
    for at, loss in validation.items():
        seen[at] = loss
        if stopped is None and is_over(seen, patience):
            stopped = at
    assert stopped == step


def test_a_record_without_its_steps_is_read_by_its_losses(tuned):
    record = Trained.of(tuned)
    assert (record.rates, record.norms) == ((), ())
    assert read_curve(tuned.losses, tuned.validation_losses, record).verdict
