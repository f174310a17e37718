"""Buckets: exactly those meet who share a band, and whose sketches agree."""

from __future__ import annotations

import numpy
from hypothesis import given, settings
from hypothesis import strategies as st

from sevenfold.prepare.overlap.bands import Signatures
from sevenfold.prepare.overlap.buckets import MOST, Buckets


def signed(keys):
    """Texts with these keys, and sketches that say nothing."""
    keys = numpy.array(keys, dtype=numpy.uint64)
    return Signatures(keys, numpy.zeros((len(keys), 1), dtype=numpy.uint8))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 4), min_size=3, max_size=3), min_size=1, max_size=20), st.data())
def test_exactly_those_who_were_added_and_share_a_band_meet(keys, data):
    buckets = Buckets(signed(keys), 0)
    order = data.draw(st.permutations(range(len(keys))))

    def share(one: int, other: int) -> bool:
        return any(a == b for a, b in zip(keys[one], keys[other], strict=True))

    for place, text in enumerate(order):
        assert buckets.mates(text) == sorted(other for other in order[:place] if share(text, other))
        buckets.add(text)


def test_those_whose_sketches_have_too_little_in_common_do_not_meet():
    sketches = numpy.array([[1, 2, 3, 4], [1, 2, 3, 0], [1, 2, 0, 5]], dtype=numpy.uint8)
    buckets = Buckets(Signatures(numpy.ones((3, 1), dtype=numpy.uint64), sketches), 3)
    for text in range(3):
        buckets.add(text)
    assert [buckets.mates(text) for text in range(3)] == [[0, 1], [0, 1], [2]]


def test_a_bucket_remembers_so_many_and_counts_the_others():
    buckets = Buckets(signed(numpy.ones((MOST + 10, 1))), 0)
    for text in range(MOST + 10):
        buckets.add(text)
    assert buckets.mates(0) == list(range(MOST))
    assert buckets.overflowed == 10
