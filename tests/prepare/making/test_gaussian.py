"""The noise, against the definition of differential privacy, and against what is known of several looks."""

from __future__ import annotations

import math

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from sevenfold.prepare.making.gaussian import delta_of, noise_for
from sevenfold.prepare.making.votes import votes
from sevenfold.vectors import VECTORS


def defined(sigma: float, epsilon: float) -> float:
    """Delta by its definition: what the larger density has above e^epsilon times the other, integrated."""
    places, step = numpy.linspace(-60 * sigma, 60 * sigma + 1, 600_001, retstep=True)
    above = norm.pdf(places, 1, sigma) - math.exp(epsilon) * norm.pdf(places, 0, sigma)
    return float(numpy.maximum(above, 0).sum() * step)


@pytest.mark.parametrize("sigma", [0.5, 1, 4])
@pytest.mark.parametrize("epsilon", [0.1, 1, 4])
def test_delta_is_what_its_definition_says(sigma, epsilon):
    assert delta_of(sigma, epsilon) == pytest.approx(defined(sigma, epsilon), abs=1e-7)


@given(epsilon=st.floats(0.01, 50), delta=st.floats(1e-9, 0.5))
def test_the_noise_is_enough_and_hardly_more(epsilon, delta):
    sigma = noise_for(epsilon, delta)
    assert delta_of(sigma, epsilon) <= delta
    assert delta_of(sigma * 0.999, epsilon) > delta


def test_it_is_less_than_the_classical_bound():
    """Dwork and Roth 2014, theorem A.1: sqrt(2 ln(1.25 / delta)) / epsilon, for epsilon below 1."""
    assert noise_for(0.9, 1e-5) < math.sqrt(2 * math.log(1.25e5)) / 0.9


def test_several_looks_lose_what_their_sum_loses():
    """The privacy loss of T looks at noise s is normal, with the mean T / (2 s^2) and the variance T / s^2."""
    rounds, epsilon, delta = 4, 1.0, 1e-3
    sigma = noise_for(epsilon, delta, rounds)
    loss = numpy.random.default_rng(1).normal(rounds / (2 * sigma**2), math.sqrt(rounds) / sigma, 4_000_000)
    measured = numpy.maximum(0, 1 - numpy.exp(epsilon - loss)).mean()
    assert measured == pytest.approx(delta, rel=0.05)
    assert sigma == pytest.approx(2 * noise_for(epsilon, delta))


WORDS = st.lists(st.sampled_from(["snow", "sun", "ball", "goal", "bank", "loan", "برف", "وام"]), min_size=1, max_size=5)
LABELLED = st.tuples(WORDS.map(" ".join), st.sampled_from(["a", "b", "other"]))


@given(private=st.lists(LABELLED, max_size=12), one=LABELLED, place=st.integers(0, 12))
def test_one_row_moves_one_vote_by_one(private, one, place):
    """With a row more the histogram moves by at most 1 (L2), wherever it stands."""
    ngrams = VECTORS.find("ngrams")(width=64)
    candidates = [("snow and sun", "a"), ("goal", "a"), ("loan of a bank", "b"), ("برف", "b")]
    more = [*private[:place], one, *private[place:]]
    moved = votes(ngrams, more, candidates) - votes(ngrams, private, candidates)
    assert numpy.abs(moved).sum() == (one[1] != "other")
    assert moved.min() >= 0
