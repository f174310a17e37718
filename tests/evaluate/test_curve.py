"""A made curve of each kind gets its name, its evidence and its advice."""

import numpy as np
import pytest

from sevenfold.evaluate.curve import ADVICE, read_curve

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
