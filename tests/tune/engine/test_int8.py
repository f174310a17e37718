"""8-bit weights: at most half a step away, exact in bfloat16, exact bits."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from sevenfold.tune.engine.int8 import Int8Linear


@pytest.fixture
def layer() -> nn.Linear:
    torch.manual_seed(0)
    layer = nn.Linear(96, 40)
    layer.weight.data = (torch.randn(40, 96) * torch.rand(40, 1)).to(torch.bfloat16).float()
    return layer


def test_a_weight_moves_by_half_a_step_at_most(layer) -> None:
    found, weight = Int8Linear(layer).dense(torch.float32), layer.weight.detach()
    # The scale is rounded to bfloat16, which may push the largest weight of a row by half of its last digit.
    step_O1 = weight.abs().amax(1, keepdim=True) / 127
    assert ((found - weight).abs() <= 0.76 * step_O1).all()
    assert (found - weight).abs().mean() < 0.27 * step_O1.mean()
    assert abs(float((found - weight).mean())) < 0.02 * float(step_O1.mean())


def test_bits_of_a_weight(layer) -> None:
    packed = Int8Linear(layer)
    assert (
        8 * sum(weight.nbytes for name, weight in packed.named_parameters() if name != "bias") == 8 * 96 * 40 + 16 * 40
    )
    assert packed.bits == 8 + 16 / 96


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_the_rounded_weight_of_float32(dtype, layer) -> None:
    packed = Int8Linear(layer)
    assert torch.equal(packed.dense(dtype), packed.dense(torch.float32).to(dtype))


def test_a_row_of_zeros_stays_zero(layer) -> None:
    layer.weight.data[3] = 0
    found = Int8Linear(layer).dense(torch.float32)
    assert not found[3].any()
    assert found.isfinite().all()
