"""(IA)3: three vectors a block, found by the names of layers, by PEFT's table, or given."""

from __future__ import annotations

import pytest
import torch

from sevenfold.errors import ModelError, RecipeError
from sevenfold.schema import build
from sevenfold.tune.methods import METHODS


def ia3(**fields):
    return build(METHODS.find("ia3"), fields, "ia3")


def gpt2():
    from transformers import GPT2Config, GPT2LMHeadModel

    return GPT2LMHeadModel(GPT2Config(n_layer=1, n_embd=8, n_head=2, vocab_size=50))


def test_keys_values_and_inner_units_are_scaled(tiny_model) -> None:
    method, network = ia3(), tiny_model.network(torch.float32)
    method.attach(network)
    for weight in method.trainable(network).values():
        torch.nn.init.normal_(weight)
    attention, mlp = network.model.layers[0].self_attn, network.model.layers[0].mlp
    x, h = torch.randn(3, 64), torch.randn(3, 128)
    for layer in (attention.k_proj, attention.v_proj):
        scaled = x @ layer.base_layer.weight.T * layer.ia3_l["default"].flatten()
        torch.testing.assert_close(layer(x), scaled)
    inner = mlp.down_proj
    torch.testing.assert_close(inner(h), (h * inner.ia3_l["default"].flatten()) @ inner.base_layer.weight.T)
    assert sum(weight.numel() for weight in method.trainable(network).values()) == 2 * (32 + 32 + 128)


def test_qwen_gets_keys_as_in_the_paper_where_pefts_table_says_queries() -> None:
    from transformers import Qwen2Config, Qwen2ForCausalLM

    sizes = {"hidden_size": 8, "intermediate_size": 8, "num_attention_heads": 2, "num_key_value_heads": 1}
    network = Qwen2ForCausalLM(Qwen2Config(vocab_size=50, num_hidden_layers=1, **sizes))
    assert ia3().layers(network) == (["k_proj", "v_proj"], ["down_proj"])


def test_other_networks_are_in_pefts_table() -> None:
    method, network = ia3(), gpt2()
    method.attach(network)
    assert sum(weight.numel() for weight in method.trainable(network).values()) == 3 * 8 + 4 * 8


def test_layers_may_be_named(tiny_model) -> None:
    method, network = ia3(attention=["q_proj"], feedforward=["up_proj"]), tiny_model.network(torch.float32)
    method.attach(network)
    assert sum(weight.numel() for weight in method.trainable(network).values()) == 2 * (64 + 64)


def test_an_unknown_network_is_refused_with_the_names_it_has() -> None:
    network = gpt2()
    network.config.model_type = "unheard"
    with pytest.raises(ModelError, match=r"not known[\s\S]*attention and feedforward, of: c_attn, c_fc, c_proj"):
        ia3().attach(network)


def test_one_kind_alone_is_refused() -> None:
    with pytest.raises(RecipeError, match="attention and feedforward, or neither"):
        ia3(attention=["q_proj"])
