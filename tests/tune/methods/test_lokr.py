"""LoKr: a Kronecker product, with the fewest weights for a change of full rank."""

from __future__ import annotations

import pytest
import torch

from sevenfold.schema import build
from sevenfold.tune.methods import METHODS


def changed(network, **fields):
    """An attached network whose change is not zero."""
    method = build(METHODS.find("lokr"), fields, "lokr")
    torch.manual_seed(1)
    method.attach(network)
    for weight in method.trainable(network).values():
        torch.nn.init.normal_(weight, std=0.2)
    return method, network


def test_a_layer_and_its_gradients_are_those_of_the_formula(tiny_model) -> None:
    _, network = changed(tiny_model.network(torch.float32), rank=2, alpha=3)
    layer = network.model.layers[0].self_attn.q_proj
    factors = [getattr(layer, f"lokr_{name}")["default"] for name in ("w1", "w2_a", "w2_b")]
    copies = [factor.detach().clone().requires_grad_() for factor in factors]
    x, dy = torch.randn(3, 64), torch.randn(3, 64)
    y = layer(x)
    c, b, a = copies
    # The Kronecker product by its definition: entry (i k, j l) is c[i, j] times the second factor's [k, l].
    change = torch.einsum("ij,kl->ikjl", c, b @ a).reshape(64, 64)
    expected = x @ (layer.base_layer.weight + 3 / 2 * change).T
    torch.testing.assert_close(y, expected)
    for found, plain in zip(
        torch.autograd.grad(y, factors, dy), torch.autograd.grad(expected, copies, dy), strict=True
    ):
        torch.testing.assert_close(found, plain)


@pytest.mark.parametrize(
    ("fields", "count"),
    [
        ({"rank": 2}, 8 * 8 + 2 * (8 + 8)),
        ({"rank": 8}, 8 * 8 + 8 * 8),
        ({"rank": 2, "factor": 4}, 4 * 4 + 2 * (16 + 16)),
        ({"rank": 2, "decompose_both": True}, 2 * (8 + 8) + 2 * (8 + 8)),
    ],
)
def test_the_weights_that_move(fields, count, tiny_model) -> None:
    method, network = changed(tiny_model.network(torch.float32), targets=["q_proj"], **fields)
    assert sum(weight.numel() for weight in method.trainable(network).values()) == 2 * count


def test_the_rank_of_the_change_is_the_product_of_both(tiny_model) -> None:
    _, network = changed(tiny_model.network(torch.float32), rank=2)
    layer = network.model.layers[0].self_attn.q_proj
    assert torch.linalg.matrix_rank(layer.get_delta_weight("default")) == 8 * 2
