"""Buckets: exactly those who share a band meet, in little memory."""

from __future__ import annotations

import tracemalloc

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sevenfold.prepare.overlap.buckets import MOST, Buckets


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 4), min_size=3, max_size=3), min_size=1, max_size=20), st.data())
def test_exactly_those_who_were_added_and_share_a_band_meet(keys, data):
    buckets = Buckets(numpy.array(keys, dtype=numpy.uint64))
    order = data.draw(st.permutations(range(len(keys))))

    def share(one: int, other: int) -> bool:
        return any(a == b for a, b in zip(keys[one], keys[other], strict=True))

    for place, text in enumerate(order):
        assert buckets.mates(text) == sorted(other for other in order[:place] if share(text, other))
        buckets.add(text)
    assert buckets.meeting().tolist() == [
        any(share(one, other) for other in range(len(keys)) if other != one) for one in range(len(keys))
    ]


def test_a_bucket_remembers_so_many_and_counts_the_others():
    buckets = Buckets(numpy.ones((MOST + 10, 1), dtype=numpy.uint64))
    for text in range(MOST + 10):
        buckets.add(text)
    assert buckets.mates(0) == list(range(MOST))
    assert buckets.overflowed == 10


@pytest.mark.parametrize(("twins", "most"), [(False, 500), (True, 900)])
def test_a_row_takes_less_than_a_kilobyte_at_the_peak(twins, most):
    rows, chance = 20_000, numpy.random.default_rng(1)
    tracemalloc.start()
    try:
        keys = chance.integers(0, 2**63, (rows, 21)).astype(numpy.uint64)
        if twins:
            keys[rows // 2 :] = keys[: rows // 2]
        tracemalloc.reset_peak()
        Buckets(keys)
        assert tracemalloc.get_traced_memory()[1] / rows < most
    finally:
        tracemalloc.stop()
