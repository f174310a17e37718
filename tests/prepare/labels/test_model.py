"""The label model: right where the truth is known, and better than the majority on real terms."""

from __future__ import annotations

import numpy

from sevenfold.prepare.labels.model import ABSTAINS, consensus, majority, voters
from tests.prepare.labels.terms import LABELS, terms, votes


def test_it_beats_the_majority_on_real_terms():
    """With 100 known rows 5 points or more in each of four draws; measured on the rows that are not known."""
    voted, truth = numpy.array(votes()), numpy.array([LABELS.index(kind) for _, kind in terms()])
    most, covered = majority(voted, len(LABELS)), (voted != ABSTAINS).any(axis=1)
    for seed in range(4):
        known = numpy.full(len(truth), ABSTAINS)
        chosen = numpy.random.default_rng(seed).choice(len(truth), 100, replace=False)
        known[chosen] = truth[chosen]
        rest = covered & (known == ABSTAINS)
        guess = consensus(voted, len(LABELS), known).labels_NK.argmax(axis=1)
        assert (guess == truth)[rest].mean() > (most == truth)[rest].mean() + 0.05


def test_without_known_rows_accuracies_of_independent_voters_are_found():
    """Planted: five voters of known accuracy who vote on 70 % of 2,000 rows; each is found within five points."""
    draw = numpy.random.default_rng(5)
    truth = draw.integers(0, 3, 2000)
    right = numpy.array([0.9, 0.8, 0.7, 0.6, 0.45])
    hit = draw.random((2000, 5)) < right
    voted = numpy.where(hit, truth[:, None], (truth[:, None] + draw.integers(1, 3, (2000, 5))) % 3)
    voted = numpy.where(draw.random((2000, 5)) < 0.7, voted, ABSTAINS)
    found = consensus(voted, 3)
    assert numpy.abs(found.accuracy_M - right).max() < 0.05
    covered = (voted != ABSTAINS).any(axis=1)
    model = (found.labels_NK.argmax(axis=1) == truth)[covered].mean()
    assert model > (majority(voted, 3) == truth)[covered].mean() + 0.02


def test_coverage_overlaps_and_conflicts_by_hand():
    found = voters(numpy.array([[0, 0], [1, 0], [-1, 1], [0, -1]]))
    assert [(one.coverage, one.overlap, one.conflict) for one in found] == [(0.75, 0.5, 0.25), (0.75, 0.5, 0.25)]
    assert majority(numpy.array([[-1, -1], [1, 0], [2, 2]]), 3).tolist() == [-1, 0, 2]
