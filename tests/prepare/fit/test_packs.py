"""Packing: every token is in a pack, none is over its limit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sevenfold.prepare.fit.packs import packing


def test_by_hand():
    found = packing([40, 40, 40, 100], 100)
    assert (found["packs"], found["rows_per_pack"]) == (3, 1.333)
    assert found["fill_share"] == round(220 / 300, 4)
    assert found["padding_share"] == round(1 - 220 / 400, 4)


@given(st.lists(st.integers(1, 100), min_size=1, max_size=60))
def test_packs_are_enough_and_never_more_than_rows(lengths):
    found = packing(lengths, 100)
    assert -(-sum(lengths) // 100) <= found["packs"] <= len(lengths)
    # Two neighbouring packs hold more than one limit together, else they were one.
    assert sum(lengths) > (found["packs"] - 1) / 2 * 100 - 100
    assert 0 <= found["padding_share"] < 1
