"""The chunked head equals the plain computation, in value and in every gradient."""

from __future__ import annotations

import pytest
import torch

from sevenfold.tune.engine import head
from sevenfold.tune.engine.head import target_logprobs


def plain(hidden_ND, weight_VD, labels_N, bias_V=None, cap=None):
    logits = (hidden_ND @ weight_VD.t()).float()
    if bias_V is not None:
        logits = logits + bias_V
    if cap is not None:
        logits = cap * torch.tanh(logits / cap)
    return torch.log_softmax(logits, -1).gather(-1, labels_N[:, None])[:, 0]


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("targets", [1, 7, 20])
def test_equals_log_softmax_and_gather(targets: int, frozen: bool, monkeypatch) -> None:
    monkeypatch.setattr(head, "chunk_of", lambda vocabulary: 7)
    generator = torch.Generator().manual_seed(targets)
    hidden = torch.randn(targets, 16, generator=generator, requires_grad=True)
    weight = torch.randn(50, 16, generator=generator, requires_grad=not frozen)
    labels = torch.randint(50, (targets,), generator=generator)
    upstream = torch.randn(targets, generator=generator)
    moving = (hidden,) if frozen else (hidden, weight)

    fast = target_logprobs(hidden, weight, labels)
    found = torch.autograd.grad(fast, moving, upstream)
    slow = plain(hidden, weight, labels)
    expected = torch.autograd.grad(slow, moving, upstream)

    torch.testing.assert_close(fast, slow)
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)
        assert abs(float((a - b).mean())) < 1e-7


def test_a_frozen_head_gets_no_gradient() -> None:
    hidden = torch.randn(3, 4, requires_grad=True)
    weight = torch.randn(5, 4)
    target_logprobs(hidden, weight, torch.tensor([0, 1, 2])).sum().backward()
    assert weight.grad is None
    assert hidden.grad is not None


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("cap", [None, 3.0])
@pytest.mark.parametrize("biased", [False, True])
def test_a_bias_and_a_cap_are_in_value_and_gradients(frozen, biased, cap: float | None, monkeypatch) -> None:
    monkeypatch.setattr(head, "chunk_of", lambda vocabulary: 7)
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(20, 16, generator=generator, requires_grad=True)
    weight = torch.randn(50, 16, generator=generator, requires_grad=not frozen)
    bias = torch.randn(50, generator=generator, requires_grad=not frozen) if biased else None
    labels = torch.randint(50, (20,), generator=generator)
    upstream = torch.randn(20, generator=generator)
    moving = [part for part in (hidden, weight, bias) if part is not None and part.requires_grad]
    fast, slow = target_logprobs(hidden, weight, labels, bias, cap), plain(hidden, weight, labels, bias, cap)
    torch.testing.assert_close(fast, slow)
    both = (torch.autograd.grad(found, moving, upstream) for found in (fast, slow))
    for a, b in zip(*both, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)
        assert abs(float((a - b).mean())) < 1e-6


def test_a_frozen_bias_gets_no_gradient() -> None:
    hidden, weight, bias = torch.randn(3, 4, requires_grad=True), torch.randn(5, 4), torch.randn(5)
    target_logprobs(hidden, weight, torch.tensor([0, 1, 2]), bias, None).sum().backward()
    assert bias.grad is None


def test_without_gradients_nothing_is_kept() -> None:
    hidden, weight = torch.randn(3, 4), torch.randn(5, 4)
    with torch.no_grad():
        assert target_logprobs(hidden, weight, torch.tensor([0, 1, 2])).grad_fn is None
