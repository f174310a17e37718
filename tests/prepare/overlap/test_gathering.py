"""Gatherings: who may be alike is in one of them, and few others are with them."""

from __future__ import annotations

import tracemalloc

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sevenfold.prepare.overlap import gathering
from sevenfold.prepare.overlap.bands import Signatures
from sevenfold.prepare.overlap.gathering import FEW, circles_of, gathered
from sevenfold.prepare.union import Union

BANDS = 3
KEYS = st.lists(st.lists(st.integers(0, 5), min_size=BANDS, max_size=BANDS), min_size=1, max_size=25)


def signed(keys, sketches=None):
    keys = numpy.array(keys, dtype=numpy.uint64)
    blank = numpy.zeros((len(keys), 2), dtype=numpy.uint8)
    return Signatures(keys, blank if sketches is None else numpy.array(sketches, dtype=numpy.uint8))


def plain(keys, rows, sketches, least):
    """Who hangs together, by looking at every pair."""
    union = Union()
    for one in range(len(rows)):
        for other in range(one):
            share = any(a == b for a, b in zip(keys[one], keys[other], strict=True))
            same = sum(a == b for a, b in zip(sketches[one], sketches[other], strict=True))
            if share and same >= least:
                union.join(rows[one], rows[other])
    return union


@settings(max_examples=100, deadline=None)
@given(KEYS, st.data())
def test_circles_are_those_of_looking_at_every_pair(keys, data):
    rows = sorted(data.draw(st.lists(st.integers(0, len(keys) - 1), min_size=len(keys), max_size=len(keys))))
    sketch = st.lists(st.integers(0, 1), min_size=2, max_size=2)
    sketches = data.draw(st.lists(sketch, min_size=len(keys), max_size=len(keys)))
    least = data.draw(st.integers(0, 2))
    union = plain(keys, rows, sketches, least)
    circles = circles_of(signed(keys, sketches), numpy.array(rows), len(keys), least)
    for one in range(len(keys)):
        for other in range(len(keys)):
            assert (circles[one] == circles[other]) == (union.root(one) == union.root(other))


def test_very_many_with_one_key_hang_together_though_not_every_pair_is_looked_at():
    count = 3 * FEW
    sketches = numpy.arange(2 * count).reshape(count, 2) % 251
    circles = circles_of(signed(numpy.ones((count, 1)), sketches), numpy.arange(count), count, 2)
    assert len(set(circles.tolist())) == 1
    few = circles_of(signed(numpy.ones((FEW, 1)), sketches[:FEW]), numpy.arange(FEW), FEW, 2)
    assert len(set(few.tolist())) == FEW


def test_gatherings_are_whole_circles_in_order_without_those_who_meet_nobody(monkeypatch):
    monkeypatch.setattr(gathering, "MANY", 4)
    keys = [[number // 3 if number < 30 else number + 100] for number in range(40)]
    order = numpy.random.default_rng(0).permutation(40)
    found = list(gathered(signed(keys), numpy.arange(40), order, 40, 0))
    assert [len(one.rows) for one in found] == [6, 6, 6, 6, 6]
    assert sorted(row for one in found for row in one.rows.tolist()) == list(range(30))
    place = {row: number for number, row in enumerate(order.tolist())}
    for one in found:
        for circle in {row // 3 for row in one.rows.tolist()}:
            rows = [row for row in one.rows.tolist() if row // 3 == circle]
            assert rows == sorted(range(circle * 3, circle * 3 + 3), key=place.get)
        assert one.signatures.keys[:, 0].tolist() == (one.rows // 3).tolist()


def test_nobody_meets_anybody():
    assert not list(gathered(signed([[1], [2]]), numpy.arange(2), numpy.arange(2), 2, 0))
    assert not list(gathered(signed(numpy.zeros((0, 1))), numpy.arange(0), numpy.arange(0), 0, 0))


@pytest.mark.parametrize("twins", [False, True])
def test_a_row_takes_little_memory_more_at_the_peak(twins):
    rows, chance = 20_000, numpy.random.default_rng(1)
    keys = chance.integers(0, 2**63, (rows, 21)).astype(numpy.uint64)
    if twins:
        keys[rows // 2 :] = keys[: rows // 2]
    found = Signatures(keys, numpy.zeros((rows, 64), dtype=numpy.uint8))
    tracemalloc.start()
    try:
        circles_of(found, numpy.arange(rows), rows, 0)
        assert tracemalloc.get_traced_memory()[1] / rows < 500
    finally:
        tracemalloc.stop()
