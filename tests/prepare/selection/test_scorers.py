"""Scorers: their figures are those of the plain computations, and planted rows get the scores that they should."""

from __future__ import annotations

from random import Random

import numpy
import pytest

from sevenfold.prepare.selection import SCORERS
from sevenfold.prepare.selection._surrogate import PENALTY, Examples, Linear, fitted
from sevenfold.prepare.selection.deft import Deft, standard
from sevenfold.prepare.selection.diverse import Diverse
from sevenfold.prepare.selection.effort import Effort
from sevenfold.prepare.selection.error_potential import ErrorPotential
from sevenfold.prepare.selection.influence import Influence, solved

WRONG = 12


def made(labelled: bool, rows: int = 120, width: int = 6, kinds: int = 3, seed: int = 5) -> Examples:
    """Rows whose target follows from their input, in the first :data:`WRONG` wrongly."""
    draw = numpy.random.default_rng(seed)
    inputs = draw.normal(size=(rows, width))
    inputs /= numpy.linalg.norm(inputs, axis=1, keepdims=True)
    inputs = numpy.hstack([inputs, numpy.ones((rows, 1))])
    found = inputs @ (3 * draw.normal(size=(width + 1, kinds)))
    if not labelled:
        targets = found + 0.05 * draw.normal(size=found.shape)
        targets[:WRONG] = targets[:WRONG][::-1] * -1
        return Examples(inputs, targets, False)
    numbers = found.argmax(axis=1)
    numbers[:WRONG] = (numbers[:WRONG] + 1) % kinds
    return Examples(inputs, numpy.eye(kinds)[numbers], True)


@pytest.mark.parametrize("labelled", [True, False])
def test_gradient_and_curvature_are_those_of_the_loss(labelled):
    examples = made(labelled)
    linear = fitted(examples)
    draw = numpy.random.default_rng(1)
    direction = draw.normal(size=linear.weights_DK.shape)

    def moved(step: float) -> Linear:
        return Linear(linear.weights_DK + step * direction, labelled)

    def mean(step: float) -> float:
        return float(moved(step).losses(examples).mean())

    step = 1e-5
    slope = (mean(step) - mean(-step)) / (2 * step)
    assert slope == pytest.approx(float((linear.gradient(examples) * direction).sum()), abs=1e-8)
    change = (moved(step).gradient(examples) - moved(-step).gradient(examples)) / (2 * step) + PENALTY * direction
    assert numpy.abs(linear.curved(examples, direction) - change).max() < 1e-7


@pytest.mark.parametrize("labelled", [True, False])
def test_the_fit_leaves_no_gradient(labelled):
    examples = made(labelled)
    linear = fitted(examples)
    assert numpy.abs(linear.gradient(examples) + PENALTY * linear.weights_DK).max() < 1e-4


@pytest.mark.parametrize("labelled", [True, False])
def test_influence_is_what_leaving_a_row_out_does(labelled):
    """The estimate, a first-order one, against fits without the row, one for each of some rows."""
    examples = made(labelled, rows=400)
    part, rest = examples.part(range(300)), examples.part(range(300, 400))
    linear = fitted(part)
    direction = solved(linear, part, linear.gradient(rest))
    estimated = ((part.inputs_ND @ direction) * linear.residuals(part)).sum(axis=1) / len(part)
    before = linear.losses(rest).mean()
    real = [fitted(part.part([n for n in range(300) if n != row])).losses(rest).mean() - before for row in range(30)]
    assert numpy.corrcoef(estimated[:30], real)[0, 1] > 0.95


@pytest.mark.parametrize("labelled", [True, False])
def test_wrong_rows_do_harm_and_are_hard(labelled):
    examples = made(labelled)
    influence, effort = (kind().scores(examples, Random(3)) for kind in (Influence, Effort))
    potential = ErrorPotential().scores(examples, Random(3))
    planted = set(range(WRONG))
    lowest = set(numpy.argsort(influence)[:WRONG].tolist())
    hardest = set(numpy.argsort(-effort)[:WRONG].tolist())
    latest = set(numpy.argsort(potential)[:WRONG].tolist())
    assert len(lowest & planted) >= 6  # by chance it would be one
    assert len(hardest & planted) >= 9
    assert len(latest & planted) >= 9


def test_deft_is_the_weighted_sum():
    examples = made(True)
    one, other = Influence().scores(examples, Random(3)), Effort().scores(examples, Random(3))
    # Both halve the rows by the same dice, one behind the other.
    dice = Random(3)
    expected = standard(Influence().scores(examples, dice)) + 0.3 * standard(Effort().scores(examples, dice))
    assert numpy.allclose(Deft().scores(examples, Random(3)), expected)
    assert not numpy.allclose(standard(one), standard(other))


def test_diverse_takes_one_of_each_cluster_first():
    draw = numpy.random.default_rng(0)
    centres = numpy.eye(5) * 10
    inputs = numpy.vstack([centre + 0.1 * draw.normal(size=(20, 5)) for centre in centres])
    scores = Diverse().scores(Examples(inputs, inputs, False), Random(1))
    first = numpy.argsort(-scores)[:5]
    assert {int(row) // 20 for row in first} == set(range(5))
    assert sorted(scores.tolist()) == [-float(place) for place in reversed(range(100))]


@pytest.mark.parametrize("name", SCORERS.names())
def test_the_same_dice_give_the_same_scores(name):
    examples, kind = made(True), SCORERS.find(name)
    assert numpy.array_equal(kind().scores(examples, Random(7)), kind().scores(examples, Random(7)))
