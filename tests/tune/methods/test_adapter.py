"""Bottleneck adapters: where they hang, what they cost, what is kept for the backward pass."""

from __future__ import annotations

import json

import pytest
import torch

from sevenfold.errors import ModelError
from sevenfold.tune.methods.adapter import Adapter
from tests.tune.engine.architectures import ARCHITECTURES

IDS = torch.tensor([[1, 5, 9, 2, 30, 41, 7]])


def attached(network, **fields):
    torch.manual_seed(1)
    method = Adapter(**fields)
    method.attach(network)
    return method


def moved(network, method):
    with torch.no_grad():
        for weight in method.trainable(network).values():
            weight.add_(torch.randn_like(weight) * 0.1)


def count(network, method) -> int:
    return sum(weight.numel() for weight in method.trainable(network).values())


@pytest.mark.parametrize("where", ["both", "attention", "feed_forward"])
def test_an_adapter_has_2md_d_m_parameters(where, tiny_model) -> None:
    """Houlsby et al. 2019, section 2.1: 2 m d + d + m with biases; two adapters a layer, Pfeiffer's form has one."""
    network = tiny_model.skeleton()
    method = attached(network, where=where, width=5)
    adapters = 2 * (2 if where == "both" else 1)
    assert count(network, method) == adapters * (2 * 5 * 64 + 64 + 5)
    assert len(method.parts(network)) == adapters


def test_bert_large_with_64_units_needs_the_papers_share() -> None:
    """Houlsby et al. 2019, section 2.1: 0.5 to 8 % of the original's parameters; BERT-Large, 330 million, 24 layers."""
    adapters = 48 * (2 * 64 * 1024 + 1024 + 64)
    assert 0.005 < adapters / 330e6 < 0.08
    network = ARCHITECTURES["Llama"].build(hidden_size=1024, num_attention_heads=16)
    method = attached(network, width=64)
    assert count(network, method) * 12 == adapters


def test_the_width_is_a_share_of_the_hidden_one(tiny_model) -> None:
    assert Adapter(reduction=16).narrow(64) == 4
    assert Adapter(reduction=16, width=7).narrow(64) == 7
    assert Adapter(reduction=1000).narrow(64) == 1


@pytest.mark.parametrize("parallel", [False, True])
def test_the_network_equals_the_plain_expression_in_every_part(parallel, tiny_model) -> None:
    network, plain = tiny_model.network(torch.float32), tiny_model.network(torch.float32)
    method = attached(network, parallel=parallel, scale=2.0, activation="gelu")
    moved(network, method)

    def changed(beside):
        def add(layer, positional, named, output):
            h = output[0] if isinstance(output, tuple) else output
            x = (positional[0] if positional else named["hidden_states"]) if parallel else h
            y = h + 2.0 * beside.up(torch.nn.functional.gelu(beside.down(x)))
            return (y, *output[1:]) if isinstance(output, tuple) else y

        return add

    for mine, theirs in zip(network.model.layers, plain.model.layers, strict=True):
        for name in ("self_attn", "mlp"):
            hook = changed(mine.get_submodule(name).beside)
            theirs.get_submodule(name).register_forward_hook(hook, with_kwargs=True)
    found, expected = network(IDS).logits, plain(IDS).logits
    torch.testing.assert_close(found, expected)
    assert not torch.allclose(found, tiny_model.network(torch.float32)(IDS).logits)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Llama", ["self_attn", "mlp"]),
        ("GPT-2", ["attn", "mlp"]),
        ("GPT-Neo", ["attn.attention", "mlp"]),
        ("OPT", ["self_attn", "fc2"]),
        ("MPT", ["attn", "ffn"]),
        ("Mixtral", ["self_attn", "mlp"]),
        ("Jamba", ["mamba", "feed_forward"]),
        ("Mamba 2", ["mixer"]),
        ("Qwen3-Next", ["linear_attn", "mlp"]),
        ("RWKV", ["attention", "feed_forward"]),
        ("T5", ["layer.0.SelfAttention", "layer.1.DenseReluDense"]),
    ],
)
def test_parts_are_found_in_every_architecture(name, parts) -> None:
    network = ARCHITECTURES[name].build()
    found = Adapter().parts(network)
    first = found[0].removesuffix(parts[0])
    assert found[: len(parts)] == [f"{first}{part}" for part in parts]
    method = attached(network)
    ids = torch.arange(5, 12)[None]
    said = {"decoder_input_ids": ids} if network.config.is_encoder_decoder else {}
    before = network(ids, **said).logits
    moved(network, method)
    assert not torch.allclose(network(ids, **said).logits, before)


def test_both_halves_of_an_encoder_decoder_have_adapters() -> None:
    found = Adapter().parts(ARCHITECTURES["BART"].build())
    assert [name.split(".")[1] for name in found].count("decoder") == 6  # self, cross and feed-forward, two layers
    assert [name.split(".")[1] for name in found].count("encoder") == 4


def test_what_cannot_be_done_is_refused() -> None:
    with pytest.raises(ModelError, match=r"no part of the blocks of Mamba2ForCausalLM is known as feed-forward"):
        Adapter(where="feed_forward").attach(ARCHITECTURES["Mamba 2"].build())
    with pytest.raises(ModelError, match=r"layers\.0\.fc2[\s\S]*parallel: false; or where: attention"):
        Adapter(parallel=True).attach(ARCHITECTURES["OPT"].build())
    Adapter(parallel=True, where="attention").attach(ARCHITECTURES["OPT"].build())


def test_the_file_says_what_its_tensors_mean_and_other_settings_do_not_load(tiny_model, tmp_path) -> None:
    network = tiny_model.network(torch.float32)
    method = attached(network, width=5)
    moved(network, method)
    method.save(network, tmp_path, "tiny")
    settings = json.loads((tmp_path / "bottleneck.json").read_text())
    assert settings["parts"] == method.parts(tiny_model.skeleton())
    assert (settings["width"], settings["activation"], settings["base"]) == (5, "relu", "tiny")
    for fields, said in [
        ({"width": 6}, "width = 5"),
        ({"width": 5, "activation": "tanh"}, 'activation = "relu"'),
        ({"width": 5, "parallel": True}, "parallel = false"),
        ({"width": 5, "where": "attention"}, "parts = "),
    ]:
        with pytest.raises(ModelError, match=f"the saved adapter has {said}"):
            Adapter(**fields).load(tiny_model.network(torch.float32), tmp_path)
    loaded = tiny_model.network(torch.float32)
    Adapter(width=5).load(loaded, tmp_path)
    assert torch.equal(loaded(IDS).logits, network(IDS).logits)
