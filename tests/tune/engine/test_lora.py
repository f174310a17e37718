"""The adapted layer in one pass equals base plus change, and merges to the same layer."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from sevenfold.tune.engine.lora import LoraLinear


@pytest.fixture(params=[True, False], ids=["bias", "no bias"])
def layer(request) -> LoraLinear:
    torch.manual_seed(0)
    layer = LoraLinear(nn.Linear(12, 20, bias=request.param), rank=3, scale=1.7)
    nn.init.normal_(layer.lora_B.weight)
    return layer


def plain(layer: LoraLinear, x):
    base = layer.base_layer
    return F.linear(x, base.weight, base.bias) + layer.scale * layer.lora_B(layer.lora_A(x))


@pytest.mark.parametrize("shape", [(5, 12), (2, 5, 12)])
def test_equals_base_plus_change_in_value_and_gradients(layer, shape) -> None:
    x = torch.randn(shape, requires_grad=True)
    wanted = (x, layer.lora_A.weight, layer.lora_B.weight)
    upstream = torch.randn(*shape[:-1], 20)
    found, expected = layer(x), plain(layer, x)
    torch.testing.assert_close(found, expected)
    pairs = zip(
        torch.autograd.grad(found, wanted, upstream), torch.autograd.grad(expected, wanted, upstream), strict=True
    )
    for a, b in pairs:
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)
        assert abs(float((a - b).mean())) < 1e-6


def test_it_passes_autograds_own_check(layer) -> None:
    layer = layer.double()
    x = torch.randn(3, 12, dtype=torch.float64, requires_grad=True)
    layer.lora_A.weight.requires_grad_(False)
    layer.lora_B.weight.requires_grad_(False)
    assert torch.autograd.gradcheck(layer, (x,))


def test_bfloat16_stays_within_its_rounding(layer) -> None:
    x = torch.randn(64, 12)
    exact = plain(layer, x).detach()
    layer.base_layer.to(torch.bfloat16)
    rounded = layer(x.to(torch.bfloat16)).detach().float()
    assert (rounded - exact).abs().max() < 0.03 * exact.abs().max()
    assert abs(float((rounded - exact).mean())) < 0.003 * float(exact.abs().mean()) + 0.01


def test_it_starts_as_the_base(layer) -> None:
    fresh = LoraLinear(layer.base_layer, rank=3, scale=1.7)
    x = torch.randn(5, 12)
    assert torch.equal(fresh(x), layer.base_layer(x))


def test_merged_is_the_same_layer(layer) -> None:
    x = torch.randn(5, 12)
    torch.testing.assert_close(layer.merged()(x), layer(x))


def test_only_linear_layers_are_adapted() -> None:
    with pytest.raises(TypeError, match="not Conv1d"):
        LoraLinear(nn.Conv1d(1, 1, 1), 2, 1.0)  # type: ignore[arg-type]
