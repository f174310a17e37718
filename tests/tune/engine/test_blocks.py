"""The blocks of a network: all of them, each once, lowest first."""

from __future__ import annotations

import pytest
import torch

from sevenfold.errors import ModelError, RecipeError
from sevenfold.tune.engine import blocks
from tests.tune.engine.architectures import ARCHITECTURES

SHARED = "ALBERT"
"""One block for all layers: there is no stack of them."""


@pytest.mark.parametrize("name", [name for name in ARCHITECTURES if name != SHARED])
def test_a_forward_pass_goes_through_all_of_them_in_order(name) -> None:
    network, gone = ARCHITECTURES[name].build(), []
    found = blocks.named(network)
    for path, block in found.items():
        block.register_forward_pre_hook(lambda block, inputs, path=path: gone.append(path))
    ids = torch.arange(5, 12)[None]
    with torch.no_grad():
        network(ids, **({"decoder_input_ids": ids} if network.config.is_encoder_decoder else {}))
    assert gone == list(found)
    assert len(found) == (4 if network.config.is_encoder_decoder else 2)
    assert all(network.get_submodule(path) is block for path, block in found.items())


def test_the_ends_are_the_first_and_the_last() -> None:
    network = ARCHITECTURES["Llama"].build(num_hidden_layers=5)
    assert blocks.ends(network, 2, 1, "here") == [f"model.layers.{number}" for number in (0, 1, 4)]
    assert blocks.ends(network, 0, 2, "here") == ["model.layers.3", "model.layers.4"]
    with pytest.raises(RecipeError, match=r"first = 3 and last = 3(.|\n)*here(.|\n)*at most 5 together"):
        blocks.ends(network, 3, 3, "here")


def test_a_network_without_such_a_list_is_refused() -> None:
    with pytest.raises(ModelError, match="AlbertForMaskedLM has no list of 2 blocks"):
        blocks.stack(ARCHITECTURES[SHARED].build())
