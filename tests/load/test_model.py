"""A model on disk gives the network that its configuration asks for."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import BloomConfig, BloomForCausalLM, T5Config, T5ForConditionalGeneration

from sevenfold.load.model import Card, Model
from tests import tiny


@pytest.fixture
def encoder_decoder(tmp_path: Path) -> Model:
    """A tiny T5 in a local folder."""
    torch.manual_seed(0)
    config = T5Config(
        vocab_size=400, d_model=32, d_kv=8, d_ff=48, num_layers=2, num_heads=4, decoder_start_token_id=0, pad_token_id=0
    )
    T5ForConditionalGeneration(config).save_pretrained(tmp_path / "weights")
    tiny.make_tokenizer(tmp_path / "model" / "tokenizer")
    card = Card(name="t5", architecture="T5ForConditionalGeneration")
    return Model(card=card, weights=tmp_path / "weights", stop_ids=[2]).save(tmp_path / "model")


def test_an_encoder_decoder_is_built_with_both_halves_and_its_weights(encoder_decoder: Model) -> None:
    network = encoder_decoder.network(torch.float32)
    assert type(network).__name__ == "T5ForConditionalGeneration"
    saved = T5ForConditionalGeneration.from_pretrained(encoder_decoder.weights).state_dict()
    assert all(torch.equal(value, saved[name]) for name, value in network.state_dict().items())
    assert network.generation_config.eos_token_id == [2]


def test_its_skeleton_is_of_the_same_kind_and_takes_no_memory(encoder_decoder: Model) -> None:
    skeleton = encoder_decoder.skeleton()
    assert type(skeleton).__name__ == "T5ForConditionalGeneration"
    assert {weight.device.type for weight in skeleton.parameters()} == {"meta"}


def test_a_causal_model_is_built_as_one(tiny_model: Model) -> None:
    assert type(tiny_model.network(torch.float32)).__name__ == "LlamaForCausalLM"
    assert type(tiny_model.skeleton()).__name__ == "LlamaForCausalLM"


def test_a_network_without_fused_attention_is_built_with_what_it_has(tmp_path: Path) -> None:
    BloomForCausalLM(BloomConfig(vocab_size=400, hidden_size=32, n_layer=1, n_head=4)).save_pretrained(
        tmp_path / "bloom"
    )
    tiny.make_tokenizer(tmp_path / "model" / "tokenizer")
    card = Card(name="bloom", architecture="BloomForCausalLM")
    model = Model(card=card, weights=tmp_path / "bloom", stop_ids=[2]).save(tmp_path / "model")
    assert model.network(torch.float32).config._attn_implementation == "eager"
