"""Signatures: how they are cut, and that they meet as often as the formula says."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sevenfold.errors import MachineError
from sevenfold.prepare.overlap.bands import MISSED, SEED, Banding, band_keys, banding


@given(st.floats(0.5, 1), st.integers(16, 512))
def test_the_cut_fits_and_misses_few(threshold, permutations):
    cut = banding(threshold, permutations)
    assert cut.bands * cut.rows <= permutations
    assert cut.rows == 1 or 1 - cut.shared(threshold) <= MISSED


def test_the_default_cut():
    assert banding(0.8, 128) == Banding(21, 6)


def test_texts_meet_as_often_as_the_formula_says():
    cut, met = Banding(4, 4), 0
    for number in range(400):
        shared = [f"{number} {n}" for n in range(70)]
        one, other = ({*shared, *(f"{number} {side} {n}" for n in range(15))} for side in "ab")
        keys = band_keys([one, other], cut)
        met += bool((keys[0] == keys[1]).any())
    assert met / 400 == pytest.approx(cut.shared(0.7), abs=0.08)


def test_keys_do_not_depend_on_the_order_or_the_process():
    cut = Banding(2, 3)
    first, second = band_keys([{"a", "b", "c"}], cut), band_keys([{"c", "b", "a"}], cut)
    assert first.tolist() == second.tolist()
    assert SEED == 17


def test_a_missing_library_is_said_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "rensa", None)
    with pytest.raises(MachineError) as caught:
        band_keys([{"a"}], Banding(2, 3))
    assert caught.value.next_step == "pip install 'sevenfold[prepare]'"
