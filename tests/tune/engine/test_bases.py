"""Products over every form of a frozen weight are those over the dense weight in plain autograd."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from transformers.pytorch_utils import Conv1D

from sevenfold.tune.engine import bases
from sevenfold.tune.engine.int8 import Int8Linear
from sevenfold.tune.engine.lora import LoraLinear
from sevenfold.tune.engine.nf4 import Nf4Linear

FORMS = {
    "dense": lambda layer: layer,
    "int8": Int8Linear,
    "nf4": partial(Nf4Linear, double_quantisation=False),
    "nf4 double": partial(Nf4Linear, double_quantisation=True),
}


@pytest.fixture(params=FORMS)
def form(request):
    return FORMS[request.param]


@pytest.fixture(params=["linear", "no bias", "transposed"])
def base(request, form) -> nn.Module:
    torch.manual_seed(0)
    made = {
        "linear": lambda: nn.Linear(24, 40),
        "no bias": lambda: nn.Linear(24, 40, bias=False),
        "transposed": lambda: Conv1D(40, 24),
    }
    layer = made[request.param]().requires_grad_(False)
    return form(layer)


def plain(base, x):
    """What the layer computes, by the dense weight in float32."""
    return F.linear(x, bases.dense(base, torch.float32), base.bias)


def close(found, expected) -> None:
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)
        assert abs(float((a - b).detach().mean())) < 1e-6


def test_a_frozen_layer_equals_the_product_with_its_dense_weight(base) -> None:
    x, upstream = torch.randn(2, 5, 24, requires_grad=True), torch.randn(2, 5, 40)
    found, expected = base(x), plain(base, x)
    close([found], [expected])
    close(torch.autograd.grad(found, x, upstream), torch.autograd.grad(expected, x, upstream))


def test_a_low_rank_change_beside_it_has_autograds_gradients(base) -> None:
    layer = LoraLinear(base, rank=3, scale=1.7)
    nn.init.normal_(layer.lora_B.weight)
    x, upstream = torch.randn(2, 5, 24, requires_grad=True), torch.randn(2, 5, 40)
    wanted = (x, layer.lora_A.weight, layer.lora_B.weight)
    found, expected = layer(x), plain(base, x) + layer.scale * layer.lora_B(layer.lora_A(x))
    close([found], [expected])
    close(torch.autograd.grad(found, wanted, upstream), torch.autograd.grad(expected, wanted, upstream))


def test_the_change_is_merged_into_the_weight_that_was_trained_over(base) -> None:
    layer = LoraLinear(base, rank=3, scale=1.7)
    nn.init.normal_(layer.lora_B.weight)
    x, merged = torch.randn(5, 24), layer.merged()
    assert isinstance(merged, Conv1D if bases.is_transposed(base) else nn.Linear)
    torch.testing.assert_close(merged(x), layer(x))


def test_nothing_dense_is_kept_for_the_backward_pass(form) -> None:
    layer = form(nn.Linear(64, 96, bias=False).requires_grad_(False))
    kept: list[int] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t.numel()) or t, lambda t: t):
        LoraLinear(layer, rank=2, scale=1.0)(torch.randn(3, 64, requires_grad=True))
    assert max(kept) < 64 * 96


def test_bfloat16_stays_within_its_rounding(base) -> None:
    x = torch.randn(64, 24)
    exact = plain(base, x).detach()
    rounded = LoraLinear(base, rank=3, scale=1.7)(x.to(torch.bfloat16)).detach().float()
    assert (rounded - exact).abs().max() < 0.02 * exact.abs().max()
    assert abs(float((rounded - exact).mean())) < 0.002 * float(exact.abs().mean()) + 0.001


def test_frozen_weights_and_their_bytes_are_counted() -> None:
    network = nn.Sequential(nn.Linear(64, 32), Int8Linear(nn.Linear(64, 32)), nn.Linear(8, 8)).requires_grad_(False)
    network[2].weight.requires_grad_(True)
    bytes_of_int8 = 64 * 32 + 2 * 32
    rest = 64 * 32 + 32 + 32 + 8
    assert bases.frozen(network, torch.bfloat16) == (rest + 64 * 32, bytes_of_int8 + 2 * rest)


def test_a_quantised_layer_of_another_library_is_not_taken_for_a_plain_one() -> None:
    layer = nn.Linear(8, 8)
    layer.weight = nn.Parameter(torch.zeros(32, 1, dtype=torch.uint8), requires_grad=False)
    assert not bases.fits(layer)
