"""A layer whose rows keep a length of their own equals the plain formula, with the length's gradient left out."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from transformers.pytorch_utils import Conv1D

from sevenfold.tune.engine.dora import DoraLinear
from sevenfold.tune.engine.int8 import Int8Linear
from sevenfold.tune.engine.lora import share_inputs
from tests.tune.engine.kept import kept_bytes


def filled(base: nn.Module, rank: int = 3) -> DoraLinear:
    """A layer whose change is as large as its base, and whose rows have other lengths."""
    layer = DoraLinear(base, rank, scale=1.7)
    nn.init.normal_(layer.lora_B.weight, std=0.3)
    with torch.no_grad():
        layer.lora_magnitude_vector.mul_(torch.rand_like(layer.lora_magnitude_vector) + 0.5)
    return layer


@pytest.fixture(params=[True, False], ids=["bias", "no bias"])
def layer(request) -> DoraLinear:
    torch.manual_seed(0)
    return filled(nn.Linear(12, 20, bias=request.param).requires_grad_(False))


def plain(layer: DoraLinear, x, low=None):
    base = layer.base_layer
    length = (base.weight + layer.change()).norm(dim=1).detach()
    turned = F.linear(x, base.weight) + layer.scale * layer.lora_B(layer.lora_A(x if low is None else low))
    y = layer.lora_magnitude_vector / length * turned
    return y if base.bias is None else y + base.bias


@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("shape", [(5, 12), (2, 5, 12)])
def test_equals_the_plain_formula_in_value_and_gradients(layer, shape, dropout) -> None:
    layer.dropout = dropout
    x = torch.randn(shape, requires_grad=True)
    wanted = (x, layer.lora_A.weight, layer.lora_B.weight, layer.lora_magnitude_vector)
    upstream = torch.randn(*shape[:-1], 20)
    torch.manual_seed(5)
    found = layer(x)
    torch.manual_seed(5)
    expected = plain(layer, x, torch.native_dropout(x, dropout, True)[0] if dropout else None)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    pairs = zip(
        torch.autograd.grad(found, wanted, upstream), torch.autograd.grad(expected, wanted, upstream), strict=True
    )
    for a, b in pairs:
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_lengths_are_those_of_the_sum_that_is_never_made(layer) -> None:
    expected = (layer.base_layer.weight + layer.change()).norm(dim=1)
    torch.testing.assert_close(layer.lengths(torch.float32), expected)
    layer.base_layer.to(torch.bfloat16)
    torch.testing.assert_close(layer.lengths(torch.bfloat16), expected, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_it_starts_as_the_base_to_the_last_bit(layer, dtype) -> None:
    base = layer.base_layer.to(dtype)
    x = torch.randn(5, 12, dtype=dtype)
    assert torch.equal(DoraLinear(base, rank=3, scale=1.7)(x), base(x))


def test_a_start_that_is_a_part_of_the_weight_changes_nothing(layer) -> None:
    fresh = DoraLinear(layer.base_layer, rank=3, scale=1.7)
    fresh.start_at(torch.randn(3, 12), torch.randn(20, 3))
    x = torch.randn(5, 12)
    assert torch.equal(fresh(x), layer.base_layer(x))


@pytest.mark.parametrize(
    "base", [nn.Linear(12, 20), Conv1D(20, 12), Int8Linear(nn.Linear(12, 20))], ids=["Linear", "Conv1D", "int8"]
)
def test_every_form_of_layer_merges_to_the_same_layer(base) -> None:
    layer, x = filled(base), torch.randn(5, 12)
    torch.testing.assert_close(layer.merged()(x), layer(x), rtol=1e-4, atol=1e-5)


def test_without_gradients_it_gives_the_same(layer) -> None:
    x = torch.randn(5, 12)
    with torch.no_grad():
        torch.testing.assert_close(layer(x), plain(layer, x), rtol=1e-5, atol=1e-5)


def test_in_evaluation_the_gain_is_found_once_and_follows_its_weights(layer, monkeypatch) -> None:
    found, lengths = [], DoraLinear.lengths
    monkeypatch.setattr(DoraLinear, "lengths", lambda self, dtype: found.append(dtype) or lengths(self, dtype))
    x = torch.randn(5, 12)
    layer.eval()
    with torch.no_grad():
        for _ in range(3):
            torch.testing.assert_close(layer(x), plain(layer, x), rtol=1e-5, atol=1e-5)
        assert len(found) == 1
        layer.lora_B.weight.mul_(2)
        torch.testing.assert_close(layer(x), plain(layer, x), rtol=1e-5, atol=1e-5)
        layer.train()
        layer(x)
        layer(x)
    assert len(found) == 4


def test_it_keeps_its_input_and_its_output(layer) -> None:
    x = torch.randn(50, 12, requires_grad=True)
    assert kept_bytes(layer, x) == 50 * (12 + 20) * 4


def test_layers_behind_one_input_are_computed_together() -> None:
    class Three(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.ModuleList(filled(nn.Linear(12, size), rank) for size, rank in ((8, 2), (4, 3), (8, 2)))

        def forward(self, x):
            return torch.cat([layer(x) for layer in self.layers], -1)

    torch.manual_seed(0)
    network = Three()
    x, upstream = torch.randn(6, 12, requires_grad=True), torch.randn(6, 20)
    wanted = [x, *(weight for name, weight in network.named_parameters() if "lora" in name)]
    alone = torch.autograd.grad(network(x), wanted, upstream)
    share_inputs(network, lambda: network(torch.randn(2, 12)))
    assert len(network.layers[0].group.members) == 3
    for a, b in zip(torch.autograd.grad(network(x), wanted, upstream), alone, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)
