"""NF4: the published code book, exact bits, and products equal to those of the dense weight."""

from __future__ import annotations

import copy
import sys

import pytest
import torch
from torch import nn

from sevenfold.errors import MachineError
from sevenfold.tune.engine import nf4
from sevenfold.tune.engine.nf4 import Nf4Linear

CODE_BOOK = [
    -1.0,
    -0.6961928009986877,
    -0.5250730514526367,
    -0.39491748809814453,
    -0.28444138169288635,
    -0.18477343022823334,
    -0.09105003625154495,
    0.0,
    0.07958029955625534,
    0.16093020141124725,
    0.24611230194568634,
    0.33791524171829224,
    0.44070982933044434,
    0.5626170039176941,
    0.7229568362236023,
    1.0,
]
"""Appendix E of arXiv 2305.14314."""


@pytest.fixture
def layer() -> nn.Linear:
    torch.manual_seed(0)
    layer = nn.Linear(96, 40).requires_grad_(False)
    nn.init.normal_(layer.weight, std=0.02)
    layer.weight.data = layer.weight.data.to(torch.bfloat16).float()
    return layer


def nearest(weight_OI: torch.Tensor) -> torch.Tensor:
    """The plain computation: each weight over the largest of its block, rounded to the nearest of the 16 values."""
    blocks = weight_OI.reshape(-1, nf4.BLOCK)
    scales = blocks.abs().amax(1, keepdim=True)
    book = torch.tensor(CODE_BOOK)
    codes = ((blocks / scales)[..., None] - book).abs().argmin(-1)
    return (book[codes] * scales).view_as(weight_OI)


def test_every_weight_is_the_nearest_value_of_the_published_code_book(layer) -> None:
    assert layer.in_features % nf4.BLOCK, "rows that begin inside a block are the hard case"
    torch.testing.assert_close(Nf4Linear(layer, False).dense(torch.float32), nearest(layer.weight), rtol=0, atol=1e-9)


def test_double_quantisation_moves_weights_by_little(layer) -> None:
    once, twice = (Nf4Linear(layer, double).dense(torch.float32) for double in (False, True))
    scale = float(layer.weight.detach().abs().max())
    assert 0 < (once - twice).abs().max() < 0.02 * scale
    assert abs(float((once - twice).mean())) < 1e-3 * scale


def test_the_error_is_the_one_of_four_bits() -> None:
    """A normal weight in blocks of 64 loses 9.1 % of its norm: computed from the code book over many normal draws."""
    torch.manual_seed(0)
    layer = nn.Linear(512, 256).requires_grad_(False)
    nn.init.normal_(layer.weight)
    found = Nf4Linear(layer, True).dense(torch.float32)
    assert float((found - layer.weight).norm() / layer.weight.norm()) == pytest.approx(0.091, abs=0.003)
    assert abs(float((found - layer.weight).mean())) < 2e-3


@pytest.mark.parametrize(("double", "bits"), [(False, 4 + 32 / 64), (True, 4 + 8 / 64 + 32 / (64 * 256))])
def test_bits_of_a_weight_are_the_papers(double, bits) -> None:
    layer = Nf4Linear(nn.Linear(1024, 256, bias=False), double)
    counted = 8 * sum(weight.nbytes for weight in layer.parameters())
    mean_of_scales = 32 * double
    assert counted == bits * 1024 * 256 + mean_of_scales
    assert layer.bits == pytest.approx(bits, abs=2e-4)


@pytest.mark.parametrize("shape", [(7, 9), (3, 64), (20, 12)])
def test_layers_whose_weights_fill_no_whole_blocks(shape) -> None:
    layer = nn.Linear(*shape).requires_grad_(False)
    found = Nf4Linear(layer, True).dense(torch.float32)
    assert found.shape == layer.weight.shape
    assert (found - layer.weight).abs().max() < 0.2 * layer.weight.abs().max()


def test_a_weight_of_zeros_stays_zero() -> None:
    layer = nn.Linear(64, 4, bias=False)
    nn.init.zeros_(layer.weight)
    assert not Nf4Linear(layer, True).dense(torch.float32).any()


def test_bfloat16_is_the_rounded_weight_of_float32(layer) -> None:
    packed = Nf4Linear(layer, True)
    torch.testing.assert_close(
        packed.dense(torch.bfloat16), packed.dense(torch.float32).to(torch.bfloat16), rtol=0, atol=0
    )


def test_a_network_at_bfloat16_gets_the_same_weights(layer) -> None:
    rounded = copy.deepcopy(layer).to(torch.bfloat16)
    assert torch.equal(Nf4Linear(layer, True).dense(torch.float32), Nf4Linear(rounded, True).dense(torch.float32))


def test_real_weights_can_follow_those_of_a_plan(layer) -> None:
    nf4.library().name2qmap.clear()
    nf4.library.cache_clear()
    Nf4Linear(copy.deepcopy(layer).to("meta"), True)
    assert Nf4Linear(layer, True).dense(torch.float32).isfinite().all()


def test_without_bitsandbytes_the_user_is_told_what_to_install(layer, monkeypatch) -> None:
    nf4.library.cache_clear()
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    with pytest.raises(MachineError, match=r"sevenfold\[quantised\][\s\S]*bits: 8"):
        Nf4Linear(layer, True)
