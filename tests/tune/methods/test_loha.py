"""LoHa: the entrywise product of two low-rank matrices, of the square of their rank."""

from __future__ import annotations

import pytest
import torch

from sevenfold.errors import RecipeError
from sevenfold.schema import build
from sevenfold.tune.methods import METHODS


def changed(network, **fields):
    """An attached network whose change is not zero."""
    method = build(METHODS.find("loha"), fields, "loha")
    torch.manual_seed(1)
    method.attach(network)
    for weight in method.trainable(network).values():
        torch.nn.init.normal_(weight, std=0.2)
    return method, network


def test_a_layer_and_its_gradients_are_those_of_the_formula(tiny_model) -> None:
    _, network = changed(tiny_model.network(torch.float32), rank=4, alpha=6)
    layer = network.model.layers[0].self_attn.k_proj
    factors = [getattr(layer, f"hada_{name}")["default"] for name in ("w1_a", "w1_b", "w2_a", "w2_b")]
    copies = [factor.detach().clone().requires_grad_() for factor in factors]
    x, dy = torch.randn(3, 64), torch.randn(3, 32)
    y = layer(x)
    w1a, w1b, w2a, w2b = copies
    expected = x @ (layer.base_layer.weight + 6 / 4 * (w1a @ w1b) * (w2a @ w2b)).T
    torch.testing.assert_close(y, expected)
    for found, plain in zip(
        torch.autograd.grad(y, factors, dy), torch.autograd.grad(expected, copies, dy), strict=True
    ):
        torch.testing.assert_close(found, plain)


def test_the_change_has_the_square_of_the_rank(tiny_model) -> None:
    """The papers' claim: with the weights of a LoRA of rank 2 R, a change of rank R * R."""
    method, network = changed(tiny_model.network(torch.float32), rank=4, targets=["q_proj"])
    layer = network.model.layers[0].self_attn.q_proj
    assert torch.linalg.matrix_rank(layer.get_delta_weight("default")) == 16
    assert sum(weight.numel() for weight in method.trainable(network).values()) == 2 * (2 * 4) * (64 + 64)


def test_transposed_layers_are_refused_with_another_method() -> None:
    from transformers import GPT2Config, GPT2LMHeadModel

    network = GPT2LMHeadModel(GPT2Config(n_layer=1, n_embd=8, n_head=2, vocab_size=50))
    with pytest.raises(RecipeError, match=r"Conv1D[\s\S]*tune.method: lora"):
        changed(network)
