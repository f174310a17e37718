"""Kronecker products by their factors: PEFT's layer, value for value and gradient for gradient."""

from __future__ import annotations

import pytest
import torch
from peft import LoKrConfig, get_peft_model
from torch import nn

from sevenfold.tune.engine import kronecker


def layers(dtype=torch.float32, **fields):
    """PEFT's layer and ours, with the same weights."""
    found = []
    for _ in range(2):
        torch.manual_seed(0)
        network = nn.Sequential(nn.Linear(36, 60), nn.Linear(60, 24)).to(dtype)
        config = LoKrConfig(target_modules=["0", "1"], **{"r": 2, "alpha": 3, **fields})
        view = get_peft_model(network, config)
        for weight in network.parameters():
            if weight.requires_grad:
                nn.init.normal_(weight, std=0.5)
        found.append((view, network))
    kronecker.put_in(found[1][1])
    return found


def answers(network, x):
    x = x.clone().requires_grad_()
    y = network(x)
    y.backward(torch.linspace(-1, 1, y.numel()).view(y.shape).to(y.dtype))
    return [y, x.grad, *(weight.grad for weight in network.parameters() if weight.requires_grad)]


@pytest.mark.parametrize("fields", [{}, {"r": 16}, {"decompose_both": True}, {"decompose_factor": 3}])
def test_outputs_and_gradients_are_pefts(fields) -> None:
    (_, theirs), (_, ours) = layers(**fields)
    x = torch.randn(2, 3, 36)
    for expected, found in zip(answers(theirs, x), answers(ours, x), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    assert type(ours[0]) is kronecker.KroneckerLinear


def test_beside_a_bfloat16_base_products_are_bfloat16_and_weights_float32() -> None:
    (_, theirs), (_, ours) = layers(torch.bfloat16)
    x = torch.randn(3, 36, dtype=torch.bfloat16)
    for expected, found in zip(answers(theirs, x), answers(ours, x), strict=True):
        assert found.dtype == expected.dtype
        gap = (found.float() - expected.float()).abs().mean() / expected.float().abs().mean()
        assert gap < 0.02
    assert {weight.dtype for weight in ours.parameters() if weight.requires_grad} == {torch.float32}


def test_switched_off_and_merged_it_is_pefts() -> None:
    (theirs, _), (ours, _) = layers()
    x = torch.randn(3, 36)
    for view in (theirs, ours):
        view.disable_adapter_layers()
    assert torch.equal(ours(x), theirs(x))
    for view in (theirs, ours):
        view.enable_adapter_layers()
    torch.testing.assert_close(ours.merge_and_unload()(x), theirs(x), rtol=1e-4, atol=1e-4)
