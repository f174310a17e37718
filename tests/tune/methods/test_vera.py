"""VeRA: one pair of random matrices for all layers, vectors of each layer, and a file with or without the matrices."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file

from sevenfold.errors import RecipeError
from sevenfold.schema import build
from sevenfold.tune.methods import METHODS

IDS = torch.tensor([[1, 5, 9, 2, 30]])


def vera(**fields):
    return build(METHODS.find("vera"), fields, "vera")


@pytest.fixture
def changed(tiny_model):
    """A network with an adapter that does something."""
    network, method = tiny_model.network(torch.float32), vera(rank=16)
    method.attach(network)
    torch.manual_seed(1)
    for weight in method.trainable(network).values():
        torch.nn.init.normal_(weight, std=0.2)
    return method, network


def test_a_layer_computes_the_papers_formula(changed) -> None:
    _, network = changed
    layer = network.model.layers[0].self_attn.k_proj
    x = torch.randn(3, 64)
    a_RI, b_OR = layer.vera_A["default"][:, :64], layer.vera_B["default"][:32]
    d, b = layer.vera_lambda_d["default"], layer.vera_lambda_b["default"]
    expected = x @ layer.base_layer.weight.T + b * (b_OR @ (d[:, None] * (a_RI @ x.T))).T
    torch.testing.assert_close(layer(x), expected)


def test_only_vectors_move_rank_plus_output_of_each_layer(changed) -> None:
    method, network = changed
    outputs = 2 * (64 + 32 + 32 + 64 + 128 + 128 + 64)
    assert sum(weight.numel() for weight in method.trainable(network).values()) == outputs + 14 * 16


@pytest.mark.parametrize("kept", [True, False])
def test_the_file_holds_the_shared_matrices_or_their_seed(kept, tiny_model, tmp_path) -> None:
    network, method = tiny_model.network(torch.float32), vera(rank=16, save_projection=kept, projection_seed=5)
    method.attach(network)
    for weight in method.trainable(network).values():
        torch.nn.init.normal_(weight, std=0.2)
    method.save(network, tmp_path, "tiny")
    names = load_file(tmp_path / "adapter_model.safetensors")
    assert len(names) == 28 + 2 * kept
    again = tiny_model.network(torch.float32)
    method.load(again, tmp_path)
    with torch.no_grad():
        assert torch.equal(again(IDS).logits, network.eval()(IDS).logits)


def test_a_target_that_names_nothing_suggests_the_nearest(tiny_model) -> None:
    with pytest.raises(RecipeError, match="did you mean: q_proj") as error:
        vera(targets=["q_prj"]).attach(tiny_model.network(torch.float32))
    assert error.value.where == "tune.method.vera.targets"
