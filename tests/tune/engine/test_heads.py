"""A head is found by its numbers, or is the network's own; either equals the network's logits."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from sevenfold.chat.encoder import TokenSequence
from sevenfold.errors import ModelError
from sevenfold.tune.engine import heads
from sevenfold.tune.engine.forward import Forward
from sevenfold.tune.engine.heads import OwnHead
from sevenfold.tune.engine.passes import pack
from tests.tune.engine.architectures import ARCHITECTURES


class Squared(nn.Linear):
    """A head that no formula here covers."""

    def forward(self, x):
        return super().forward(x).square()


def squared(network):
    """The network with a head of its own kind."""
    network.lm_head.__class__ = Squared
    return network


def batch():
    return pack([TokenSequence(list(range(3, 30)), [0.0] + [1.0] * 26)])


@pytest.mark.parametrize("name", ["Llama", "Gemma 2", "Cohere", "Phi", "T5", "BART", "Mamba"])
def test_the_own_head_in_chunks_equals_the_chunked_one(name: str, monkeypatch) -> None:
    network = ARCHITECTURES[name].build()
    forward = Forward(network, torch.float32)
    states = forward.hidden(batch()).detach().requires_grad_()
    upstream = torch.randn(26, generator=torch.Generator().manual_seed(0))
    fast = forward.head(states, batch().labels_N)
    expected = torch.autograd.grad(fast, states, upstream)[0]
    monkeypatch.setattr(heads, "chunk_of", lambda vocabulary: 7)
    slow = OwnHead(network)(states, batch().labels_N)
    found = torch.autograd.grad(slow, states, upstream)[0]
    torch.testing.assert_close(fast, slow, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    assert abs(float((found - expected).mean())) < 1e-6


def test_a_head_of_its_own_kind_is_used_as_it_is_and_named() -> None:
    network = squared(ARCHITECTURES["Llama"].build())
    logits = network(batch().ids_1T).logits[0, :-1]
    forward = Forward(network, torch.float32)
    assert forward.head.name == "own"
    (note,) = forward.notes
    assert "the head is the network's own" in note
    expected = torch.log_softmax(logits, -1).gather(-1, batch().labels_N[:, None])[:, 0]
    torch.testing.assert_close(forward(batch()), expected, rtol=1e-5, atol=1e-5)


def test_logits_of_the_own_head_never_exist_together(monkeypatch) -> None:
    monkeypatch.setattr(heads, "chunk_of", lambda vocabulary: 5)
    sizes: list[int] = []
    network = squared(ARCHITECTURES["Llama"].build())
    forward = Forward(network, torch.float32)
    network.lm_head.register_forward_hook(lambda module, inputs, output: sizes.append(output.shape[-2]))
    kept: list[int] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda x: kept.append(x.shape[-1]) or x, lambda x: x):
        loss = forward(batch()).sum()
    assert 96 not in kept
    loss.backward()
    assert max(sizes) == 5
    # Twice: once forward, once more backward.
    assert sum(sizes) == 2 * 26


@pytest.mark.parametrize(("name", "field"), [("Gemma 2", "final_logit_softcapping"), ("Cohere", "logit_scale")])
def test_what_the_configuration_does_not_name_is_not_guessed(name: str, field: str) -> None:
    network = ARCHITECTURES[name].build()
    hidden = getattr(network.config, field)
    # The number is still used by the network, but stands where nobody would look for it.
    if field == "logit_scale":
        network.logit_scale = hidden
    found = list(heads.candidates(network, torch.float32))
    assert any(hidden in (candidate.scale, candidate.cap) for candidate in found)
    setattr(network.config, field, None)
    found = list(heads.candidates(network, torch.float32))
    assert not any(hidden in (candidate.scale, candidate.cap) for candidate in found)


def test_a_small_cap_and_a_small_bias_are_seen() -> None:
    network = ARCHITECTURES["Gemma 2"].build(final_logit_softcapping=0.5)
    found = Forward(network, torch.float32).head
    assert (found.name, found.cap) == ("chunked, cap", 0.5)
    network = ARCHITECTURES["BART"].build()
    network.final_logits_bias[0, 5] = 0.01
    assert Forward(network, torch.float32).head.name == "chunked, bias"


def test_a_bias_that_is_zero_still_learns() -> None:
    network = ARCHITECTURES["Phi"].build()
    network.lm_head.bias.data.zero_()
    Forward(network, torch.float32)(batch()).sum().backward()
    assert float(network.lm_head.bias.grad.abs().max()) > 0.1


def test_logits_that_hang_on_more_than_states_are_refused() -> None:
    network = ARCHITECTURES["Llama"].build()
    shift = torch.randn(96, 96, generator=torch.Generator().manual_seed(0))
    network.register_forward_hook(
        lambda module, inputs, named, output: setattr(output, "logits", output.logits + shift[named["input_ids"]]),
        with_kwargs=True,
    )
    with pytest.raises(ModelError, match="the logits of LlamaForCausalLM depend on more than its last states"):
        Forward(network, torch.float32)


def test_the_trunk_is_back_in_its_place_after_an_error() -> None:
    network = ARCHITECTURES["Llama"].build()
    body = network.model
    with pytest.raises(RuntimeError):
        OwnHead(network).logits(torch.zeros(3, 5))
    assert network.model is body
