"""Attention by document equals one attention with the mask that says the same."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from sevenfold.tune.engine.documents import attend, fused

BOUNDS = [0, 3, 4, 9]
SPANS = [[0, 3, 0, 0], [3, 4, 0, 0], [4, 9, 0, 0]]
BRANCHES = [[0, 3, 0, 0], [3, 5, 0, 3], [5, 9, 0, 3]]


def plain(query, key, value, window=None, scaling=None):
    number = torch.bucketize(torch.arange(9), torch.tensor(BOUNDS[1:]), right=True)
    distance = torch.arange(9)[:, None] - torch.arange(9)
    mask = (number[:, None] == number) & (distance >= 0) & (distance < (window or 100))
    key, value = (part.repeat_interleave(2, dim=1) for part in (key, value))
    return F.scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=scaling).transpose(1, 2)


@pytest.fixture
def qkv():
    torch.manual_seed(0)
    return torch.randn(1, 4, 9, 8, requires_grad=True), *(torch.randn(1, 2, 9, 8, requires_grad=True) for _ in "kv")


@pytest.mark.parametrize(("window", "scaling"), [(None, None), (2, None), (None, 0.3)])
def test_equals_a_mask_of_documents(qkv, window, scaling) -> None:
    found, _ = attend(nn.Module(), *qkv, None, scaling=scaling, document_spans=SPANS, sliding_window=window)
    expected = plain(*qkv, window, scaling)
    torch.testing.assert_close(found, expected)
    upstream = torch.randn_like(expected)
    for a, b in zip(
        torch.autograd.grad(found, qkv, upstream), torch.autograd.grad(expected, qkv, upstream), strict=True
    ):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dropout", [0.0, 1e-9])
@pytest.mark.parametrize("window", [None, 2])
def test_a_branch_reads_its_stem_and_no_other_branch(qkv, window, dropout) -> None:
    # A dropout that drops nothing takes torch's kernel in the place of short products.
    found, _ = attend(nn.Module(), *qkv, None, document_spans=BRANCHES, sliding_window=window, dropout=dropout)
    for rows in (slice(0, 3), [0, 1, 2, 3, 4], [0, 1, 2, 5, 6, 7, 8]):
        text = [part[:, :, rows] for part in qkv]
        length = text[0].shape[2]
        alone = fused(*text, window, 0.0, 8**-0.5).transpose(1, 2)
        torch.testing.assert_close(found[:, rows], alone[:, :length])
    upstream = torch.randn(1, 4, 4, 8)
    expected = fused(*(part[:, :, [0, 1, 2, 5, 6, 7, 8]] for part in qkv), window, 0.0, 8**-0.5).transpose(1, 2)
    for a, b in zip(
        torch.autograd.grad(found[:, 5:], qkv, upstream),
        torch.autograd.grad(expected[:, 3:], qkv, upstream),
        strict=True,
    ):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("length", [5, 300, 600])
@pytest.mark.parametrize("window", [None, 7])
@pytest.mark.parametrize("causal", [True, False])
def test_short_products_equal_the_fused_kernel(length, window, causal) -> None:
    # 300 is above what keeps its weights for the backward pass, 600 is above what uses products at all.
    torch.manual_seed(1)
    query = torch.randn(1, 6, length, 8, requires_grad=True)
    key, value = (torch.randn(1, 2, length, 8, requires_grad=True) for _ in "kv")
    upstream = torch.randn(1, length, 6, 8)
    found, _ = attend(
        nn.Module(),
        query,
        key,
        value,
        None,
        document_spans=[[0, length, 0, 0]],
        sliding_window=window,
        is_causal=causal,
    )
    expected = fused(query, key, value, window, 0.0, 8**-0.5, causal).transpose(1, 2)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    wanted = (query, key, value)
    for a, b in zip(
        torch.autograd.grad(found, wanted, upstream), torch.autograd.grad(expected, wanted, upstream), strict=True
    ):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)
        assert abs(float((a - b).mean())) < 1e-7


@pytest.mark.parametrize("asked", ["softcap", "s_aux", "position_bias"])
def test_what_it_cannot_do_is_refused(qkv, asked) -> None:
    with pytest.raises(NotImplementedError, match=asked):
        attend(nn.Module(), *qkv, None, document_spans=SPANS, **{asked: 1.0})


def test_missing_spans_are_refused(qkv) -> None:
    with pytest.raises(NotImplementedError, match="without document spans"):
        attend(nn.Module(), *qkv, None)


def test_a_mask_that_was_first_asked_for_without_gradients_serves_training() -> None:
    length = 37
    query, key, value = (torch.randn(1, 2, length, 8, requires_grad=True) for _ in "qkv")
    with torch.inference_mode():
        attend(nn.Module(), query, key, value, None, document_spans=[[0, length, 0, 0]])
    attend(nn.Module(), query, key, value, None, document_spans=[[0, length, 0, 0]])[0].sum().backward()
    assert query.grad is not None
