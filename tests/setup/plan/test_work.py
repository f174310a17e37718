"""Sizes of a network."""

from __future__ import annotations

from sevenfold.load.model import Card
from sevenfold.setup import plan
from tests.setup.plan.works import LLAMA_7B, SMALL, network


def test_parameters_of_a_network_that_is_laid_out_without_memory():
    parameters = sum(weight.numel() for weight in network(LLAMA_7B, "meta").parameters())
    embeddings = 2 * LLAMA_7B.vocabulary * LLAMA_7B.hidden
    norms = (2 * LLAMA_7B.layers + 1) * LLAMA_7B.hidden
    assert parameters == 6_738_415_616
    assert LLAMA_7B.block_parameters == parameters - embeddings - norms


def test_shape_of_a_card():
    card = Card(name="x", layers=2, hidden=64, intermediate=160, heads=4, key_value_heads=2, vocabulary=500)
    assert plan.Shape.of(card) == SMALL
    assert SMALL.key_value_hidden == 32
