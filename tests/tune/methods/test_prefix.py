"""Prefix tuning: trained keys and values, in the network's own terms and in those of a cache."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file
from transformers import DynamicCache
from transformers.models.llama.modeling_llama import apply_rotary_pos_emb

from sevenfold.errors import ModelError
from sevenfold.tune.engine import prefix
from sevenfold.tune.methods.prefix import Prefix
from tests.tune.engine.architectures import ARCHITECTURES

IDS = torch.tensor([[1, 5, 9, 2, 30]])
COUNT = 6


def attached(network, **fields):
    torch.manual_seed(1)
    method = Prefix(tokens=COUNT, **fields)
    method.attach(network)
    with torch.no_grad():
        for weight in method.trainable(network).values():
            weight.add_(torch.randn_like(weight) * 0.1)
    return method


def loss_of(logits: torch.Tensor) -> torch.Tensor:
    """Of the ids behind the first."""
    return -torch.log_softmax(logits[:, -5:-1], -1).gather(-1, IDS[:, 1:, None]).sum()


def test_output_and_gradient_are_those_of_rotated_keys_in_a_cache(tiny_model) -> None:
    network = tiny_model.network(torch.float32)
    method = attached(network)
    loss = loss_of(network(torch.cat([torch.tensor([method.lead(400)]), IDS], -1)).logits)
    loss.backward()
    mine = list(method.trainable(network).values())
    rows = [weight.detach().clone().requires_grad_() for weight in mine]
    plain = tiny_model.network(torch.float32).requires_grad_(False)
    cos, sin = plain.model.rotary_emb(rows[0], torch.arange(COUNT)[None])
    pairs = []
    for keys, values in zip(rows[::2], rows[1::2], strict=True):
        heads = [part.view(1, COUNT, 2, 16).transpose(1, 2) for part in (keys, values)]
        pairs.append((apply_rotary_pos_emb(heads[0], heads[0], cos, sin)[1], heads[1]))
    expected = loss_of(plain(IDS, past_key_values=DynamicCache(pairs)).logits)
    expected.backward()
    torch.testing.assert_close(loss, expected)
    for weight, row in zip(mine, rows, strict=True):
        torch.testing.assert_close(weight.grad, row.grad)


def test_the_reparametrisation_is_a_shared_tanh_and_a_product_a_projection(tiny_model) -> None:
    network = tiny_model.network(torch.float32)
    attached(network, reparametrise=True, width=24)
    narrow = network.get_input_embeddings().beside.shared
    for layer in network.model.layers:
        for projection in (layer.self_attn.k_proj, layer.self_attn.v_proj):
            up = projection.beside.vectors.up
            hidden = torch.tanh(narrow.embedding.weight @ narrow.down.weight.T + narrow.down.bias)
            torch.testing.assert_close(projection.beside.vectors(), hidden @ up.weight.T + up.bias)


@pytest.mark.parametrize(
    ("fields", "count"),
    [
        ({}, 2 * 2 * COUNT * 32),
        ({"reparametrise": True, "width": 24}, COUNT * 64 + (64 * 24 + 24) + 4 * (24 * 32 + 32)),
    ],
)
def test_the_trained_parameters_are_counted_exactly(fields, count, tiny_model) -> None:
    for network in (tiny_model.network(torch.float32), tiny_model.skeleton()):
        method = Prefix(tokens=COUNT, **fields)
        method.attach(network)
        assert sum(weight.numel() for weight in method.trainable(network).values()) == count


def test_the_start_is_what_words_of_the_vocabulary_give(tiny_model) -> None:
    network = tiny_model.network(torch.float32)
    torch.manual_seed(3)
    ids = torch.randint(400, (1, COUNT))
    cache = DynamicCache()
    with torch.no_grad():
        expected = network(torch.cat([ids, IDS], -1), past_key_values=cache).logits[:, COUNT:]
        torch.manual_seed(3)
        method = Prefix(tokens=COUNT)
        method.attach(network)
        found = network(torch.cat([torch.tensor([method.lead(400)]), IDS], -1)).logits[:, COUNT:]
    torch.testing.assert_close(found, expected)


def test_what_a_cache_holds_is_exact_at_every_precision(tiny_model) -> None:
    network = tiny_model.network(torch.float32)
    method = attached(network)
    lead = method.lead(400)
    exact = prefix.cached(network, lead)
    with torch.no_grad():
        kept = prefix.held(network, torch.tensor([lead]))
    torch.testing.assert_close(exact, torch.stack([part[0].transpose(0, 1) for part in kept], 1))
    half = tiny_model.network(torch.bfloat16)
    Prefix(tokens=COUNT).attach(half)
    for name, weight in method.trainable(network).items():
        half.get_parameter(name).data = weight.data.clone()
    assert torch.equal(prefix.cached(half, lead), exact)
    assert half.dtype == torch.bfloat16


@pytest.mark.parametrize("name", ["Qwen3", "Gemma 3", "Cohere", "GPT-Neo", "OPT", "gpt-oss"])
def test_plain_peft_answers_the_same_whatever_happens_to_keys(name, tmp_path) -> None:
    """Normalised keys, partly rotated ones, learnt positions, sliding windows, sinks."""
    from peft import PeftModel

    network = ARCHITECTURES[name].build()
    method = attached(network)
    ids = torch.arange(5, 15)[None]
    with torch.no_grad():
        expected = network(torch.cat([torch.tensor([method.lead(96)]), ids], -1)).logits[:, COUNT:]
        method.save(network, tmp_path, "tiny")
        found = PeftModel.from_pretrained(ARCHITECTURES[name].build(), tmp_path).eval()(ids).logits
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["GPT-2", "Phi-3", "Falcon", "Mamba", "Jamba", "RWKV", "T5"])
def test_networks_without_projections_of_keys_are_refused(name) -> None:
    with pytest.raises(ModelError, match=r"has no projection of just the keys[\s\S]*tune.method: prompt"):
        Prefix().attach(ARCHITECTURES[name].build())


def test_it_is_taken_off_without_a_trace(tiny_model, tmp_path) -> None:
    network = tiny_model.network(torch.float32)
    hooks = {name: len(part._forward_hooks) for name, part in network.named_modules()}
    method = attached(network, reparametrise=True)
    method.unload(network)
    assert {name: len(part._forward_hooks) for name, part in network.named_modules()} == hooks
    assert not network.get_input_embeddings()._forward_pre_hooks


def test_other_settings_do_not_load(tiny_model, tmp_path) -> None:
    network = tiny_model.network(torch.float32)
    method = attached(network)
    method.save(network, tmp_path, "tiny")
    assert load_file(tmp_path / "adapter_model.safetensors")["prompt_embeddings"].shape == (COUNT, 2 * 2 * 32)
    with pytest.raises(ModelError, match=r"does not fit .* with 6 virtual tokens"):
        Prefix(tokens=COUNT, reparametrise=True).load(tiny_model.network(torch.float32), tmp_path)
