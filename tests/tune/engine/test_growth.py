"""Which entries are dropped and which grow."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from sevenfold.tune.engine import growth
from sevenfold.tune.engine.sparse import SparseLinear


def made(places=(0, 5, 11, 13, 20), deltas=(5.0, -0.1, 4.0, 0.2, -3.0)) -> SparseLinear:
    torch.manual_seed(0)
    layer = SparseLinear(nn.Linear(6, 4).requires_grad_(False), "entries", torch.tensor(places))
    layer.deltas.data.copy_(torch.tensor(deltas))
    return layer


def backward(layer: SparseLinear, x: torch.Tensor, dy: torch.Tensor) -> torch.Tensor:
    """One pass; gives the gradient of the whole weight."""
    layer(x).backward(dy)
    return (dy.t() @ x).flatten()


def test_the_least_changed_are_dropped_and_the_largest_sums_of_gradients_grow() -> None:
    layer = made()
    found = growth.AccumulatedGradient(layer)
    sums = torch.zeros(24)
    for step in range(3):
        found.begin(layer, step, 3)
        for _ in range(2):
            sums += backward(layer, torch.randn(7, 6), torch.randn(7, 4))
    expected = sums[found.candidates.long()]
    torch.testing.assert_close(found.accumulated, expected)
    outside = [int(place) for place in found.candidates if int(place) not in (0, 11, 20)]
    best = sorted(outside, key=lambda place: -abs(float(sums[place])))[:2]
    new = growth.regrow(layer, found, 0.4)
    places = layer.places.tolist()
    assert [places[index] for index in (0, 2, 4)] == [0, 11, 20]
    assert {places[1], places[3]} == set(best)
    assert new == len({places[1], places[3]} - {5, 13})
    for index, place in ((1, 5), (3, 13)):
        if places[index] != place:
            assert layer.deltas[index].item() == 0
    assert layer.deltas.detach()[[0, 2, 4]].tolist() == [5.0, 4.0, -3.0]


def test_candidates_are_the_largest_gradients_of_the_first_pass() -> None:
    layer = made()
    found = growth.AccumulatedGradient(layer)
    found.begin(layer, 0, 1)
    dense = backward(layer, torch.randn(7, 6), torch.randn(7, 4))
    assert set(found.candidates.tolist()) == set(dense.abs().topk(5).indices.tolist())
    torch.testing.assert_close(layer.deltas.grad, dense[layer.places.long()])


def test_nothing_is_watched_between_changes() -> None:
    layer = made()
    found = growth.AccumulatedGradient(layer)
    found.begin(layer, 4, 3)
    assert layer.watch is None


def test_an_entry_that_would_be_dropped_and_is_the_best_stays_with_its_delta() -> None:
    layer = made()
    found = growth.AccumulatedGradient(layer)
    found.candidates.copy_(torch.tensor([5, 2, 3, 4, 6]))
    found.accumulated.copy_(torch.tensor([9.0, 8.0, 1.0, 1.0, 1.0]))
    assert growth.regrow(layer, found, 0.4) == 1
    assert layer.places.tolist() == [0, 5, 11, 2, 20]
    assert layer.deltas.tolist() == pytest.approx([5.0, -0.1, 4.0, 0.0, -3.0])


def test_momenta_are_those_of_sm3() -> None:
    layer = made()
    found = growth.MomentumApproximation(layer)
    rows, columns = [0.0] * 4, [0.0] * 6
    for _ in range(3):
        layer.deltas.grad = None
        backward(layer, torch.randn(7, 6), torch.randn(7, 4))
        found.before_move(layer)
        estimates = {}
        for place, gradient in zip(layer.places.tolist(), layer.deltas.grad.tolist(), strict=True):
            estimates[place] = min(rows[place // 6], columns[place % 6]) + gradient**2
        for place, estimate in estimates.items():
            rows[place // 6] = max(rows[place // 6], estimate)
            columns[place % 6] = max(columns[place % 6], estimate)
    torch.testing.assert_close(found.rows, torch.tensor(rows), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found.columns, torch.tensor(columns), rtol=1e-4, atol=1e-5)
    staying = layer.places[[0, 2, 4]]
    products = {place: rows[place // 6] * columns[place % 6] for place in range(24) if place not in (0, 11, 20)}
    best = sorted(products, key=lambda place: -products[place])[:2]
    assert set(found.best(layer, staying, 2).tolist()) == set(best)


def test_moments_follow_their_entries_and_those_of_dropped_ones_are_reset() -> None:
    layer = made()
    optimizer = torch.optim.AdamW([layer.deltas], lr=1e-4)
    found = growth.AccumulatedGradient(layer)
    found.optimizer = optimizer
    backward(layer, torch.randn(7, 6), torch.randn(7, 4))
    optimizer.step()
    before = {name: value.clone() for name, value in optimizer.state[layer.deltas].items()}
    found.candidates.copy_(torch.tensor([1, 2, 3, 4, 6]))
    found.accumulated.copy_(torch.tensor([5.0, 4.0, 3.0, 2.0, 1.0]))
    assert growth.regrow(layer, found, 0.4) == 2
    after = optimizer.state[layer.deltas]
    assert after["exp_avg"][[1, 3]].tolist() == [0, 0]
    torch.testing.assert_close(after["exp_avg_sq"][[1, 3]], before["exp_avg_sq"].mean().expand(2))
    for name in ("exp_avg", "exp_avg_sq"):
        assert torch.equal(after[name][[0, 2, 4]], before[name][[0, 2, 4]])


@pytest.mark.parametrize(("entries", "count"), [(24, 24), (25, 24), (1000, 7), (1, 1)])
def test_places_are_spread_each_once(entries, count) -> None:
    places = growth.spread(entries, count)
    assert len(places.unique()) == count
    assert int(places.min()) >= 0
    assert int(places.max()) < entries
