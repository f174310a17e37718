"""``tune.dropout``: where a network has dropout of its own, it leaves out what the recipe says."""

from __future__ import annotations

import pytest
import torch
from transformers import BertConfig, BertModel, GPT2Config, GPT2LMHeadModel

from sevenfold.errors import RecipeError
from sevenfold.tune.engine import dropout
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import build

IDS = torch.tensor([[1, 5, 9, 2, 30, 41, 7]])
SIZES = {"vocab_size": 64, "n_embd": 16, "n_layer": 2, "n_head": 2}


def test_every_place_is_set_and_the_configuration_is_not() -> None:
    network = GPT2LMHeadModel(GPT2Config(**SIZES, attn_pdrop=0.0, embd_pdrop=0.0, resid_pdrop=0.0))
    (note,) = dropout.apply(0.2, network)
    assert {module.p for module in network.modules() if isinstance(module, torch.nn.Dropout)} == {0.2}
    assert "attn_dropout (2)" in note
    assert network.config.resid_pdrop == 0.0


def test_it_is_drawn_in_training_alone(tiny_model, environment) -> None:
    """The tiny model is a Llama: it has dropout of attention weights."""
    environment.start()
    forward = build(TuneSection.model_validate({"dropout": 0.3, "method": "full"}), tiny_model, environment)
    assert any("dropout of 30%" in note and "attention_dropout (2)" in note for note in forward.notes)
    from sevenfold.chat.encoder import TokenSequence
    from sevenfold.tune.engine.passes import pack

    batch = pack([TokenSequence(IDS[0].tolist(), [1.0] * 7)])
    with torch.no_grad():
        assert not torch.equal(forward(batch), forward(batch))
        forward.network.eval()
        torch.testing.assert_close(forward(batch), forward(batch), rtol=0, atol=0)
        plain = build(TuneSection.model_validate({"method": "full"}), tiny_model, environment)
        torch.testing.assert_close(forward(batch), plain(batch))


def test_a_mean_over_many_draws_is_the_plain_attention() -> None:
    config = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    network = BertModel(BertConfig(vocab_size=64, **config, classifier_dropout=0.5))
    dropout.apply(0.0, network)
    network.train()
    with torch.no_grad():
        states = [network(IDS).last_hidden_state for _ in range(2)]
    torch.testing.assert_close(*states)


def test_a_network_without_is_refused() -> None:
    with pytest.raises(RecipeError, match="has no dropout"):
        dropout.apply(0.1, torch.nn.Linear(2, 2))


def test_nothing_asked_changes_nothing() -> None:
    network = GPT2LMHeadModel(GPT2Config(**SIZES, attn_pdrop=0.4))
    assert dropout.apply(None, network) == []
    assert network.transformer.h[0].attn.attn_dropout.p == 0.4
