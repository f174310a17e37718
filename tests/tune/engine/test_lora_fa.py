"""With a frozen A the layer gives what LoRA gives, and keeps rank-sized numbers of its input."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from sevenfold.tune.engine.lora import LoraLinear, share_inputs
from sevenfold.tune.engine.lora_fa import FrozenDownLinear
from tests.tune.engine.kept import kept_bytes


def filled(layer: LoraLinear) -> LoraLinear:
    nn.init.normal_(layer.lora_B.weight)
    return layer


@pytest.fixture(params=[True, False], ids=["bias", "no bias"])
def layer(request) -> LoraLinear:
    torch.manual_seed(0)
    return filled(FrozenDownLinear(nn.Linear(32, 20, bias=request.param).requires_grad_(False), rank=3, scale=1.7))


@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("shape", [(5, 32), (2, 5, 32)])
def test_equals_the_plain_formula_in_value_and_gradients(layer, shape, dropout) -> None:
    layer.dropout = dropout
    x = torch.randn(shape, requires_grad=True)
    wanted, upstream = (x, layer.lora_B.weight), torch.randn(*shape[:-1], 20)
    torch.manual_seed(5)
    found = layer(x)
    torch.manual_seed(5)
    low = torch.native_dropout(x, dropout, True)[0] if dropout else x
    expected = layer.base_layer(x) + layer.scale * layer.lora_B(layer.lora_A(low))
    torch.testing.assert_close(found, expected)
    pairs = zip(
        torch.autograd.grad(found, wanted, upstream), torch.autograd.grad(expected, wanted, upstream), strict=True
    )
    for a, b in pairs:
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)


def test_a_has_no_gradient(layer) -> None:
    layer(torch.randn(5, 32, requires_grad=True)).sum().backward()
    assert layer.lora_A.weight.grad is None
    assert layer.lora_B.weight.grad is not None


def test_of_each_input_it_keeps_its_products_with_a_alone(layer) -> None:
    x = torch.randn(50, 32, requires_grad=True)
    assert kept_bytes(layer, x) == 50 * 3 * 4
    assert kept_bytes(filled(LoraLinear(layer.base_layer, rank=3, scale=1.7)), x) == 50 * 32 * 4


def test_layers_behind_one_input_are_computed_together() -> None:
    class Three(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            made = [filled(FrozenDownLinear(nn.Linear(32, size), rank, 1.3)) for size, rank in ((8, 2), (4, 3), (8, 2))]
            self.layers = nn.ModuleList(made)

        def forward(self, x):
            return torch.cat([layer(x) for layer in self.layers], -1)

    network = Three()
    x, upstream = torch.randn(6, 32, requires_grad=True), torch.randn(6, 20)
    wanted = [x, *(layer.lora_B.weight for layer in network.layers)]
    alone = torch.autograd.grad(network(x), wanted, upstream)
    share_inputs(network, lambda: network(torch.randn(2, 32)))
    assert len(network.layers[0].group.members) == 3
    for a, b in zip(torch.autograd.grad(network(x), wanted, upstream), alone, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)
    assert kept_bytes(network, x) == 6 * 7 * 4
