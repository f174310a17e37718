"""Points between texts and several heads, beside the plain computations."""

from __future__ import annotations

import math

import pytest
import torch

from sevenfold.tune.engine import rarity


def test_draws_are_even_and_hang_on_key_and_salt_alone() -> None:
    keys = torch.arange(100_000)
    drawn = rarity.uniform(keys, 3)
    assert float(drawn.min()) >= 0
    assert float(drawn.max()) < 1
    assert float(drawn.mean()) == pytest.approx(0.5, abs=0.005)
    assert float(drawn.var()) == pytest.approx(1 / 12, abs=0.002)
    assert torch.equal(drawn[500:], rarity.uniform(keys[500:], 3))
    assert abs(float(torch.corrcoef(torch.stack([drawn, rarity.uniform(keys, 4)]))[0, 1])) < 0.01


def test_a_bootstrap_is_poisson() -> None:
    found = rarity.bootstrap(torch.arange(100_000), 3)
    assert found.shape == (100_000, 3)
    for count in range(4):
        share = float((found == count).float().mean())
        assert share == pytest.approx(math.exp(-1) / math.factorial(count), abs=0.004)
    assert rarity.bootstrap(torch.tensor([-1]), 3).tolist() == [[1, 1, 1]]


@pytest.mark.parametrize("heads", [1, 2, 5, 8])
def test_boosted_heads_count_as_one_after_another(heads) -> None:
    logits = torch.randn(7, heads, 3, generator=torch.Generator().manual_seed(heads))
    labels = torch.tensor([0, 1, 2, 0, 1, 2, 0])
    whole, weights = torch.zeros(7, 3), []
    for number in range(heads):
        right = whole.softmax(-1)[range(7), labels]
        weights.append(1 - right if number else torch.ones(7))
        step = 2 / (number + 2)
        whole = (1 - step) * whole + step * logits[:, number]
    assert torch.allclose(rarity.sum_of_heads(logits), whole, atol=1e-6)
    assert torch.allclose(rarity.boosted(logits, labels), torch.stack(weights, 1), atol=1e-6)
    assert sum(rarity.steps_of(heads)) == pytest.approx(1)


def test_bagged_heads_are_the_mean_probability() -> None:
    logits = torch.randn(7, 4, 3)
    assert torch.allclose(rarity.mean_of_heads(logits).exp(), logits.softmax(-1).mean(1), atol=1e-6)


def test_points_lie_between_near_texts_of_a_label() -> None:
    """Two crowds of one label, one of another between them: points stay within their crowd; order does not matter."""
    draw = torch.Generator().manual_seed(1)
    middles = torch.tensor([[0.0, 0.0], [100.0, 0.0], [50.0, 0.0]]).repeat_interleave(6, 0)
    states = middles + torch.randn(18, 2, generator=draw)
    labels, keys = torch.tensor([0] * 12 + [1] * 6), torch.arange(18) * 977
    found = rarity.between(states, states, labels, keys, neighbours=5)
    assert float((found - middles).abs().max()) < 4
    assert not torch.allclose(found, states)
    order = torch.randperm(18, generator=draw)
    again = rarity.between(states[order], states[order], labels[order], keys[order], neighbours=5)
    assert torch.allclose(again, found[order], atol=1e-5)
    # What a linear layer makes of points is what lies between what it makes of texts.
    weight = torch.randn(4, 2, generator=draw)
    assert torch.allclose(rarity.between(states @ weight.T, states, labels, keys, 5), found @ weight.T, atol=1e-3)


def test_a_text_alone_with_its_label_stays() -> None:
    states = torch.randn(3, 2)
    found = rarity.between(states, states, torch.tensor([0, 1, 2]), torch.arange(3), neighbours=5)
    assert torch.equal(found, states)
