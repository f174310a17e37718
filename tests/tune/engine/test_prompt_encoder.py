"""The small networks that give virtual tokens their vectors, beside the plain expressions."""

from __future__ import annotations

import pytest
import torch

from sevenfold.tune.engine.prompt_encoder import Perceptron, Recurrent


def test_a_perceptron_is_three_products_with_relu_between() -> None:
    torch.manual_seed(0)
    made = Perceptron(5, 8, 6)
    first, second, third = made.mlp_head[0], made.mlp_head[2], made.mlp_head[4]
    hidden = (made.embedding.weight @ first.weight.T + first.bias).clamp_min(0)
    hidden = (hidden @ second.weight.T + second.bias).clamp_min(0)
    torch.testing.assert_close(made(), hidden @ third.weight.T + third.bias)
    assert [tuple(layer.weight.shape) for layer in (first, second, third)] == [(6, 8), (6, 6), (8, 6)]


def one_way(lstm, rows, suffix):
    """One layer of an LSTM by its equations; gates in torch's order: input, forget, cell, output."""
    weights = [getattr(lstm, f"{name}_l0{suffix}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    state = cell = torch.zeros(lstm.hidden_size)
    found = []
    for row in rows.flip(0) if suffix else rows:
        gates = weights[0] @ row + weights[2] + weights[1] @ state + weights[3]
        enter, forget, new, leave = gates.chunk(4)
        cell = forget.sigmoid() * cell + enter.sigmoid() * new.tanh()
        state = leave.sigmoid() * cell.tanh()
        found.append(state)
    stacked = torch.stack(found)
    return stacked.flip(0) if suffix else stacked


def test_a_recurrent_one_reads_both_ways() -> None:
    torch.manual_seed(0)
    made = Recurrent(5, 8, 3, layers=1)
    rows = torch.cat([one_way(made.lstm_head, made.embedding.weight, way) for way in ("", "_reverse")], -1)
    first, second = made.mlp_head[0], made.mlp_head[2]
    expected = (rows @ first.weight.T + first.bias).clamp_min(0) @ second.weight.T + second.bias
    torch.testing.assert_close(made(), expected)


@pytest.mark.parametrize("made", [Perceptron(4, 6, 10), Recurrent(4, 6, 10, layers=2)])
def test_every_weight_has_a_gradient(made) -> None:
    assert made().shape == (4, 6)
    made().square().sum().backward()
    assert all(weight.grad.abs().sum() > 0 for weight in made.parameters())
