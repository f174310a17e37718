"""The bottleneck in one function: the plain expression's values and gradients, and only its input kept."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from sevenfold.tune.engine.bottleneck import ACTIVATIONS, BottleneckProducts


def inputs(dtype=torch.float64):
    torch.manual_seed(0)
    shapes = [(2, 7, 12), (2, 7, 12), (3, 12), (3,), (12, 3), (12,)]
    return [torch.randn(shape, dtype=dtype, requires_grad=True) for shape in shapes]


def plain(h, x, activation, scale, down, down_bias, up, up_bias):
    act = {"relu": F.relu, "gelu": F.gelu, "silu": F.silu, "tanh": torch.tanh}[activation]
    return h + scale * F.linear(act(F.linear(x, down, down_bias)), up, up_bias)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("sequential", [False, True])
def test_values_and_gradients_are_the_plain_ones(activation, sequential) -> None:
    found = []
    for function in (BottleneckProducts.apply, plain):
        h, x, *weights = inputs()
        y = function(h, h if sequential else x, activation, 1.7, *weights)
        y.square().sum().backward()
        found.append([y, h.grad, *([] if sequential else [x.grad]), *(weight.grad for weight in weights)])
    for mine, theirs in zip(*found, strict=True):
        # Gradients of weights are float32, as the weights are where it is used.
        torch.testing.assert_close(mine, theirs, check_dtype=False, rtol=1e-5, atol=1e-5)


def test_in_bfloat16_it_is_near_and_gradients_are_float32() -> None:
    h, x, *weights = inputs(torch.float32)
    exact = plain(h, x, "silu", 1.0, *weights)
    y = BottleneckProducts.apply(h.bfloat16(), x.bfloat16(), "silu", 1.0, *weights)
    assert y.dtype == torch.bfloat16
    torch.testing.assert_close(y.float(), exact, rtol=0.05, atol=0.05)
    y.float().sum().backward()
    assert all(weight.grad.dtype == torch.float32 for weight in weights)


def test_nothing_is_kept_but_the_input_and_the_weights() -> None:
    h, x, *weights = inputs()
    kept = []

    def keep(tensor):
        kept.append(tensor.data_ptr())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        BottleneckProducts.apply(h, x, "gelu", 1.0, *weights)
    assert set(kept) == {tensor.data_ptr() for tensor in (x, *weights)}
