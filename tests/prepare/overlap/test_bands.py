"""Signatures: how they are cut, and that they meet as often as the formula says."""

from __future__ import annotations

import sys
from hashlib import blake2b

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sevenfold.errors import MachineError
from sevenfold.prepare.overlap.bands import MISSED, SEED, SKETCHED, Banding, banding, least_equal, signatures
from sevenfold.prepare.overlap.shingles import Shingles


@given(st.floats(0.5, 1), st.integers(16, 512))
def test_the_cut_fits_and_misses_few(threshold, permutations):
    cut = banding(threshold, permutations)
    assert cut.bands * cut.rows <= permutations
    assert cut.rows == 1 or 1 - cut.shared(threshold) <= MISSED


def test_the_default_cut():
    assert banding(0.8, 128) == Banding(21, 6)


def of_sets(*sets):
    """Sets of things as shingles: a number for each."""
    numbers = [int.from_bytes(blake2b(str(one).encode(), digest_size=8).digest(), "little") for s in sets for one in s]
    return Shingles(numpy.array(numbers, numpy.uint64), numpy.cumsum([0, *map(len, sets)]))


def pair(number, shared, apart):
    """Two sets with so many things in common, and so many each for itself."""
    common = [f"{number} {n}" for n in range(shared)]
    return [[*common, *(f"{number} {side} {n}" for n in range(apart))] for side in "ab"]


def test_texts_meet_as_often_as_the_formula_says():
    cut, met = Banding(4, 4), 0
    for number in range(400):
        keys = signatures(of_sets(*pair(number, 70, 15)), cut).keys
        met += bool((keys[0] == keys[1]).any())
    assert met / 400 == pytest.approx(cut.shared(0.7), abs=0.08)


def test_a_sketch_agrees_as_often_as_two_texts_are_alike():
    cut, shares = banding(0.8, 128), []
    for number in range(300):
        sketches = signatures(of_sets(*pair(number, 40, 30)), cut).sketches
        shares.append((sketches[0] == sketches[1]).mean())
    assert sketches.shape == (2, SKETCHED)
    assert numpy.mean(shares) == pytest.approx(0.4 + 0.6 / 256, abs=0.02)


def test_the_sketch_lets_all_pairs_at_the_threshold_pass_and_few_far_below():
    cut, least = banding(0.8, 128), least_equal(0.8, SKETCHED)
    assert 0.5 < least / SKETCHED < 0.6
    found = {}
    for shared, apart in ((80, 10), (30, 35)):
        sketches = [signatures(of_sets(*pair(number, shared, apart)), cut).sketches for number in range(300)]
        found[shared] = sum((one == other).sum() >= least for one, other in sketches)
    assert found == {80: 300, 30: 0}


def test_signatures_do_not_depend_on_the_order():
    first, second = signatures(of_sets("abc"), Banding(2, 3)), signatures(of_sets("cba"), Banding(2, 3))
    assert first.keys.tolist() == second.keys.tolist()
    assert first.sketches.tolist() == second.sketches.tolist()
    assert SEED == 17


def test_a_missing_library_is_said_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "rensa", None)
    with pytest.raises(MachineError) as caught:
        signatures(of_sets("a"), Banding(2, 3))
    assert caught.value.next_step == "pip install 'sevenfold[prepare]'"
