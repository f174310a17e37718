"""Parameters by their names, and loading only those that move."""

from __future__ import annotations

import pytest
import torch

from sevenfold.errors import RecipeError
from sevenfold.tune import partial


@pytest.fixture
def network(tiny_model):
    return tiny_model.network(torch.float32)


def test_patterns_name_parameters_in_the_networks_order(network) -> None:
    found = partial.matching(network, ["model.norm.weight", "*.1.*layernorm*"], "names")
    layer = "model.layers.1."
    assert found == [f"{layer}input_layernorm.weight", f"{layer}post_attention_layernorm.weight", "model.norm.weight"]


@pytest.mark.parametrize(
    ("pattern", "near"),
    [
        ("*.mlpp.*", "*.mlp.*"),
        ("model.layer.0.self_atn.*", "model.layers.0.self_attn.*"),
        ("*.q_porj.weight", "*.q_proj.weight"),
        ("model.layers.7.*", None),
        ("*.zzzzzz.*", None),
    ],
)
def test_a_misspelt_word_is_mended_where_that_names_something(network, pattern, near) -> None:
    with pytest.raises(RecipeError) as caught:
        partial.matching(network, [pattern], "tune.method.layers.names")
    error = caught.value
    assert pattern in error.problem
    assert error.where == "tune.method.layers.names"
    assert error.alternatives[-1] == "model.norm.weight"
    assert (error.alternatives[0] if near else partial.mended(pattern, [])) == near
    if near:
        assert error.suggestion == near


def test_kinds_are_the_names_of_one_block(network) -> None:
    found = partial.kinds([name for name, _ in network.named_parameters()])
    assert len(found) == 11
    assert "model.layers.*.self_attn.q_proj.weight" in found


def test_what_is_frozen_is_not_read(network, tiny_model, tmp_path) -> None:
    with torch.no_grad():
        for weight in network.parameters():
            weight += 1
    partial.save(network, tmp_path / "tuned")
    opened, base = tiny_model.network(torch.float32), dict(tiny_model.network(torch.float32).named_parameters())
    partial.free(opened, ["model.norm.weight"])
    partial.load(opened, tmp_path / "tuned")
    for name, weight in opened.named_parameters():
        assert torch.equal(weight, base[name] + 1 if name == "model.norm.weight" else base[name]), name


def test_a_folder_of_another_network_is_refused(network, tmp_path) -> None:
    partial.free(network, ["model.norm.weight"])
    with pytest.raises(ValueError, match=r"does not fit the network: model\.norm\.weight"):
        partial.load(network, tmp_path)
