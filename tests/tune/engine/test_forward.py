"""The engine's forward pass equals the plain one, for every architecture, with or without its fast parts."""

from __future__ import annotations

import pytest
import torch

from sevenfold.chat.encoder import TokenSequence
from sevenfold.tune.engine import documents
from sevenfold.tune.engine.forward import Forward
from sevenfold.tune.engine.passes import pack

SIZES = {"vocab_size": 96, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
MLP = {"intermediate_size": 48, "max_position_embeddings": 64, "num_key_value_heads": 2}
SPECIAL = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
ARCHITECTURES = {
    "LlamaConfig": MLP,
    "MistralConfig": {**MLP, "sliding_window": 4},
    "Qwen2Config": MLP,
    "Qwen3Config": {**MLP, "head_dim": 8},
    "Gemma2Config": {**MLP, "head_dim": 8, "sliding_window": 4, "query_pre_attn_scalar": 8},
    "Gemma3TextConfig": {**MLP, "head_dim": 8, "sliding_window": 4},
    "Phi3Config": MLP,
    "Olmo2Config": MLP,
    "GPT2Config": {"n_positions": 64},
    "MixtralConfig": {**MLP, "num_local_experts": 2},
    "CohereConfig": {**MLP, "logit_scale": 0.2},
}


def sequences() -> list[TokenSequence]:
    generator = torch.Generator().manual_seed(1)
    return [
        TokenSequence(torch.randint(3, 96, (n,), generator=generator).tolist(), [0.0, 0.0] + [1.0] * (n - 2))
        for n in (9, 4, 12)
    ]


def build(name: str, attention: str):
    import transformers

    torch.manual_seed(0)
    config = getattr(transformers, name)(**SIZES, **SPECIAL, **ARCHITECTURES[name])
    # Where an architecture has no part for a public attention interface, it says so when it is built.
    return transformers.AutoModelForCausalLM.from_config(config, attn_implementation=attention).eval()


@torch.no_grad()
def plain(network) -> torch.Tensor:
    network.set_attn_implementation("eager")
    found = []
    for sequence in sequences():
        ids = torch.tensor([sequence.ids])
        logprobs = torch.log_softmax(network(ids, use_cache=False).logits[0, :-1].float(), -1)
        found.append(logprobs.gather(-1, ids[0, 1:, None])[1:, 0])
    return torch.cat(found)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_equals_each_row_alone_in_the_plain_network(name: str) -> None:
    network = build(name, documents.register())
    forward = Forward(network, torch.float32)
    with torch.no_grad():
        found = forward(pack(sequences()))
    expected = plain(network)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    assert abs(float((found - expected).mean())) < 1e-5


def test_a_capped_head_falls_back_and_says_so() -> None:
    forward = Forward(build("Gemma2Config", documents.register()), torch.float32)
    assert not forward.chunked_head
    assert any("head" in note for note in forward.notes)


def test_a_plain_head_and_documents_are_used_where_they_can() -> None:
    forward = Forward(build("LlamaConfig", documents.register()), torch.float32)
    assert forward.chunked_head
    assert forward.by_document
    assert forward.notes == []


def test_a_scaled_head_is_noticed() -> None:
    assert not Forward(build("CohereConfig", documents.register()), torch.float32).chunked_head
