"""Pairs that begin as a part of a weight, and what they leave of it."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from sevenfold.tune.engine import starts
from sevenfold.tune.engine.int8 import Int8Linear
from sevenfold.tune.engine.nf4 import Nf4Linear

RANK, SCALE = 4, 1.7


def falling(outputs: int, inputs: int) -> torch.Tensor:
    """A weight whose singular values fall, as those of trained weights do."""
    generator = torch.Generator().manual_seed(0)
    u = torch.linalg.qr(torch.randn(outputs, outputs, generator=generator)).Q
    v = torch.linalg.qr(torch.randn(inputs, inputs, generator=generator)).Q
    size = min(outputs, inputs)
    return u[:, :size] * 0.9 ** torch.arange(size) @ v[:size]


@pytest.fixture(params=[(24, 40), (40, 24)], ids=str)
def weight(request) -> torch.Tensor:
    return falling(*request.param)


def test_principal_is_the_best_approximation_of_its_rank(weight) -> None:
    a, b = starts.principal(weight, RANK, SCALE, None)
    values = torch.linalg.svdvals(weight)
    rest = torch.linalg.svdvals(weight - SCALE * b @ a)
    torch.testing.assert_close(rest[0], values[RANK])
    torch.testing.assert_close(rest.square().sum(), values[RANK:].square().sum())
    torch.testing.assert_close(a.norm(), b.norm())


def test_the_randomised_decomposition_comes_near_the_whole_one(weight) -> None:
    torch.manual_seed(0)
    exact, fast = (starts.principal(weight, RANK, SCALE, iterations) for iterations in (None, 16))
    torch.testing.assert_close(fast[1] @ fast[0], exact[1] @ exact[0], rtol=1e-3, atol=1e-3)


def test_principal_is_what_peft_begins_with(weight) -> None:
    peft = peft_start(weight, "pissa")
    a, b = starts.principal(weight, RANK, SCALE, None)
    torch.testing.assert_close(b @ a, peft.lora_B["default"].weight @ peft.lora_A["default"].weight)
    torch.testing.assert_close(a.abs(), peft.lora_A["default"].weight.abs(), rtol=1e-3, atol=1e-4)


def test_orthonormal_is_what_peft_begins_with(weight) -> None:
    peft = peft_start(weight, "olora")
    a, b = starts.orthonormal(weight, RANK)
    torch.testing.assert_close(b.t() @ b, torch.eye(RANK), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(b, peft.lora_B["default"].weight.data, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(a, peft.lora_A["default"].weight.data, rtol=1e-4, atol=1e-5)


def peft_start(weight: torch.Tensor, init: str):
    """PEFT's layer behind its own initialisation."""
    from peft import LoraConfig, get_peft_model

    base = nn.Sequential(nn.Linear(weight.shape[1], weight.shape[0], bias=False))
    base[0].weight.data = weight.clone()
    config = LoraConfig(r=RANK, lora_alpha=RANK * SCALE, target_modules=["0"], init_lora_weights=init)
    return get_peft_model(base, config).base_model.model[0]


@pytest.mark.parametrize("pack", [lambda layer: Nf4Linear(layer, True), Int8Linear], ids=["nf4", "int8"])
def test_loftq_gives_back_what_quantisation_takes(pack, weight) -> None:
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=False)
    layer.weight.data = weight.clone()
    lost = (weight - pack(layer).dense(torch.float32)).norm()
    left = []
    for steps in (1, 5):
        (a, b), taken = starts.loftq(layer, pack, RANK, SCALE, steps, None)
        base = pack(starts.without(layer, taken, SCALE)).dense(torch.float32)
        left.append((weight - base - SCALE * b @ a).norm())
        assert (taken is None) == (steps == 1)
    assert left[1] < left[0] < 0.95 * lost
    assert torch.equal(layer.weight, weight)


def test_a_network_without_values_gets_pairs_without_values() -> None:
    weight = torch.empty(6, 9, device="meta")
    for a, b in (starts.principal(weight, 2, 1.0, None), starts.orthonormal(weight, 2)):
        assert (a.shape, b.shape, a.device.type) == ((2, 9), (6, 2), "meta")
