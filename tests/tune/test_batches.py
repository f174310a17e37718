"""The order of rows: each once an epoch, a new order each time, a function of seed and step alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sevenfold.tune.batches import Batches


@given(rows=st.integers(1, 60), batch=st.integers(1, 10), epoch=st.integers(0, 3))
def test_every_row_stands_once_in_an_epoch(rows: int, batch: int, epoch: int) -> None:
    batches = Batches(rows, batch, seed=5)
    steps = range(epoch * batches.per_epoch, (epoch + 1) * batches.per_epoch)
    assert sorted(row for step in steps for row in batches.at(step)) == list(range(rows))


def test_the_order_needs_no_history() -> None:
    walked = Batches(50, 4, seed=1)
    orders = [walked.at(step) for step in range(30)]
    assert Batches(50, 4, seed=1).at(29) == orders[29]
    assert Batches(50, 4, seed=2).at(29) != orders[29]
    assert orders[0] != orders[walked.per_epoch]
