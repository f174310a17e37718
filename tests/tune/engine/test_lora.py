"""The adapted layer in one pass equals base plus change, and merges to the same layer."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from transformers.pytorch_utils import Conv1D

from sevenfold.tune.engine.lora import LoraLinear, share_inputs
from tests.tune.engine.kept import kept_bytes


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


@pytest.mark.parametrize("kind", [lambda: nn.Linear(12, 20), lambda: Conv1D(20, 12)], ids=["Linear", "Conv1D"])
def test_every_form_of_linear_layer_is_adapted_and_merges_to_its_own_kind(kind) -> None:
    base = kind()
    adapted = LoraLinear(base, rank=3, scale=1.7)
    nn.init.normal_(adapted.lora_B.weight)
    x = torch.randn(5, 12)
    torch.testing.assert_close(adapted(x), base(x) + 1.7 * adapted.lora_B(adapted.lora_A(x)))
    merged = adapted.merged()
    assert type(merged) is type(base)
    torch.testing.assert_close(merged(x), adapted(x))


def test_dropout_is_on_the_input_of_a_alone(layer) -> None:
    layer.dropout = 0.4
    x = torch.randn(6, 12, requires_grad=True)
    wanted = (x, layer.lora_A.weight, layer.lora_B.weight)
    upstream = torch.randn(6, 20)
    torch.manual_seed(5)
    found = layer(x)
    torch.manual_seed(5)
    low = torch.native_dropout(x, 0.4, True)[0]
    base = layer.base_layer
    expected = F.linear(x, base.weight, base.bias) + layer.scale * layer.lora_B(layer.lora_A(low))
    torch.testing.assert_close(found, expected)
    pairs = zip(
        torch.autograd.grad(found, wanted, upstream), torch.autograd.grad(expected, wanted, upstream), strict=True
    )
    for a, b in pairs:
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(layer.eval()(x), plain(layer, x))


def test_dropout_keeps_what_a_reads_and_not_the_input_too(layer) -> None:
    x = torch.randn(50, 12, requires_grad=True)
    assert kept_bytes(layer, x) == x.nbytes
    layer.dropout = 0.4
    assert kept_bytes(layer, x) == x.nbytes + x.numel()


def test_behind_a_start_the_change_is_how_far_the_pair_moved(layer) -> None:
    base = layer.base_layer
    start = torch.randn(3, 12), torch.randn(20, 3)
    layer.start_at(*start)
    x = torch.randn(5, 12, requires_grad=True)
    assert torch.equal(layer(x), base(x))
    with torch.no_grad():
        layer.lora_A.weight.add_(torch.randn(3, 12))
        layer.lora_B.weight.add_(torch.randn(20, 3))
    # The papers' own form: the start is taken off the weight, and the pair stands beside what is left.
    residual = (base.weight - layer.scale * start[1] @ start[0]).detach()
    expected = F.linear(x, residual, base.bias) + layer.scale * layer.lora_B(layer.lora_A(x))
    found, upstream = layer(x), torch.randn(5, 20)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    wanted = (x, layer.lora_A.weight, layer.lora_B.weight)
    pairs = zip(
        torch.autograd.grad(found, wanted, upstream), torch.autograd.grad(expected, wanted, upstream), strict=True
    )
    for a, b in pairs:
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(layer.merged()(x), expected, rtol=1e-4, atol=1e-4)


class Branches(nn.Module):
    """Three adapted layers behind one input, of different widths, and one behind another."""

    def __init__(self) -> None:
        super().__init__()
        made = {"a": (12, 8, 2), "b": (12, 4, 3), "c": (12, 8, 2), "after": (8, 5, 2)}
        self.layers = nn.ModuleDict({name: LoraLinear(nn.Linear(i, o), r, 1.3) for name, (i, o, r) in made.items()})
        for layer in self.layers.values():
            nn.init.normal_(layer.lora_B.weight)

    def forward(self, x, call=LoraLinear.__call__):
        a, b, c = (call(self.layers[name], x) for name in "abc")
        return torch.cat([call(self.layers["after"], a * c), b], -1)


def test_layers_behind_one_input_are_computed_together_with_the_same_result() -> None:
    torch.manual_seed(0)
    network = Branches()
    share_inputs(network, lambda: network(torch.randn(3, 12)))
    groups = {name: layer.group.members for name, layer in network.layers.items()}
    assert groups["a"] == [network.layers[name] for name in "abc"] == groups["c"]
    assert groups["after"] == [network.layers["after"]]
    x = torch.randn(6, 12, requires_grad=True)
    wanted = [x, *(weight for name, weight in network.named_parameters() if "lora" in name)]
    upstream = torch.randn(6, 9)
    found, expected = network(x), network(x, plain)
    torch.testing.assert_close(found, expected)
    pairs = zip(
        torch.autograd.grad(found, wanted, upstream), torch.autograd.grad(expected, wanted, upstream), strict=True
    )
    for a, b in pairs:
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)
        assert abs(float((a - b).mean())) < 1e-6


def test_a_group_keeps_nothing_once_every_member_was_called() -> None:
    network = Branches()
    share_inputs(network, lambda: network(torch.randn(3, 12)))
    network(torch.randn(3, 12))
    group = network.layers["a"].group
    assert (group.input, group.waiting) == (None, {})


def test_another_input_is_never_answered_with_what_waits_for_the_first() -> None:
    network = Branches()
    share_inputs(network, lambda: network(torch.randn(3, 12)))
    a, b = network.layers["a"], network.layers["b"]
    first, second = torch.randn(3, 12), torch.randn(3, 12)
    a(first)
    torch.testing.assert_close(b(second), plain(b, second))
    torch.testing.assert_close(a(second), plain(a, second))
    torch.testing.assert_close(a(second), plain(a, second))
