"""Which networks are read with a memory of ours, and which are not."""

from __future__ import annotations

import pytest
import torch

from sevenfold.generate import fitting
from sevenfold.generate.fitting import fit, pads
from tests.tune.engine.architectures import ARCHITECTURES


@pytest.fixture
def network():
    return ARCHITECTURES["Llama"].build()


def test_a_network_is_tried_once_and_left_as_it_was(network, monkeypatch) -> None:
    attention, drawn = network.config._attn_implementation, torch.random.get_rng_state()
    network.train()
    assert fit(network).token == 2 * 2 * 2 * 8 * 4
    assert network.training
    assert network.config._attn_implementation == attention
    assert torch.equal(torch.random.get_rng_state(), drawn)
    monkeypatch.setattr(fitting, "tried", lambda network: None)
    assert fit(network) is not None


def test_what_mixes_the_texts_of_a_row_is_refused(network) -> None:
    """A layer that adds a little of the token before, from whatever text that is."""
    block = network.model.layers[0]
    block.mlp.register_forward_hook(lambda module, inputs, output: output + 1e-5 * output.roll(1, 1))
    assert fit(network) is None


def test_what_keeps_more_than_keys_and_values_is_refused(network) -> None:
    """A layer that remembers the last call."""
    kept = []

    def remember(module, inputs, output):
        kept.append(output.mean())
        return output + 0.01 * kept[-2 if len(kept) > 1 else -1]

    network.model.layers[0].mlp.register_forward_hook(remember)
    assert fit(network) is None


@pytest.mark.parametrize("kind", ["dynamic", "longrope"])
def test_frequencies_that_change_with_the_longest_text_are_refused(kind) -> None:
    network = ARCHITECTURES["Llama"].build()
    network.config.rope_parameters = {"rope_type": kind, "rope_theta": 10000.0}
    assert fit(network) is None


def test_padding_is_only_for_networks_that_heed_its_mask() -> None:
    assert pads(ARCHITECTURES["BLOOM"].build())
    assert pads(ARCHITECTURES["T5"].build())
    assert not pads(ARCHITECTURES["RWKV"].build())
