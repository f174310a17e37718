"""Bradley and Terry's model against its likelihood, its own equation, and planted strengths."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import minimize

from sevenfold.evaluate.human.strength import fitted, strengths

WON = np.array([[0, 7, 2.5], [3, 0, 4], [5.5, 6, 0]])


def test_two_models_have_the_odds_of_their_wins_with_one_tie_more() -> None:
    won = np.array([[[0, 10.0], [30.0, 0]]])
    assert fitted(won)[0] == pytest.approx([0, math.log(30.5 / 10.5)], abs=1e-6)


def test_it_is_the_maximum_of_the_likelihood() -> None:
    table = WON + 0.5 * (WON + WON.T > 0)

    def loss(free: np.ndarray) -> float:
        logs = np.array([0.0, *free])
        return -sum(
            table[i, j] * (logs[i] - np.logaddexp(logs[i], logs[j])) for i in range(3) for j in range(3) if i != j
        )

    best = minimize(loss, np.zeros(2), method="BFGS", options={"gtol": 1e-9})
    assert fitted(WON[None])[0] == pytest.approx([0, *best.x], abs=1e-5)


def test_expected_wins_are_the_wins() -> None:
    worth = np.exp(fitted(WON[None])[0])
    games = WON + WON.T + (WON + WON.T > 0)
    chance = worth[:, None] / (worth[:, None] + worth[None, :])
    assert (games * chance).sum(axis=1) == pytest.approx((WON + 0.5 * (WON + WON.T > 0)).sum(axis=1), abs=1e-6)


def test_planted_strengths_are_found_and_who_never_won_has_one_too() -> None:
    draw = np.random.default_rng(2)
    true = np.array([0.0, 0.8, -0.6, 1.5])
    won = np.zeros((400, 4, 4))
    for row in won:
        for one, other in ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)):
            first = draw.random() < 1 / (1 + math.exp(true[other] - true[one]))
            row[(one, other) if first else (other, one)] += 1
    found = strengths(("base", "b", "c", "d"), won, 1)
    assert [one.model for one in found] == ["d", "b", "base", "c"]
    for one in found:
        truth = true[("base", "b", "c", "d").index(one.model)]
        assert one.strength == pytest.approx(truth, abs=0.3)
        assert one.interval[0] - 0.05 <= truth <= one.interval[1] + 0.05
        assert one.preferred == pytest.approx(1 / (1 + math.exp(-one.strength)))
    lost = np.zeros((5, 2, 2))
    lost[:, 0, 1] = 1
    assert strengths(("base", "b"), lost, 1)[-1].strength == pytest.approx(math.log(0.5 / 5.5), abs=1e-6)
