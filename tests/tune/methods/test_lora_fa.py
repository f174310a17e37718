"""LoRA-FA: A stays where it was drawn, half the parameters of a square layer move, and the file is a LoRA's."""

from __future__ import annotations

import json

import pytest
import torch

from sevenfold.errors import RecipeError
from sevenfold.tune.methods.lora import Lora
from sevenfold.tune.methods.lora_fa import LoraFa
from tests.tune.methods.test_contract import train

IDS = torch.tensor([[1, 5, 9, 2, 30]])
SQUARE = {"rank": 4, "targets": ["q_proj", "o_proj"]}


@torch.no_grad()
def logits(network):
    return network.eval()(IDS).logits


def trained(method, network) -> dict[str, torch.Tensor]:
    """Gradients of a loss, with B away from zero."""
    torch.manual_seed(2)
    for name, weight in network.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.1)
    torch.nn.functional.cross_entropy(network(IDS).logits[0, :-1], IDS[0, 1:]).backward()
    return {name: weight.grad for name, weight in method.trainable(network).items()}


def test_of_square_layers_half_as_many_parameters_move_as_with_lora(tiny_model) -> None:
    counts = []
    for kind in (LoraFa, Lora):
        network = tiny_model.skeleton()
        kind(**SQUARE).attach(network)
        counts.append(sum(weight.numel() for weight in kind(**SQUARE).trainable(network).values()))
    assert counts[0] * 2 == counts[1] == 2 * 2 * 4 * (64 + 64)


def test_the_gradient_of_b_is_loras(tiny_model) -> None:
    found = {}
    for kind in (LoraFa, Lora):
        torch.manual_seed(0)
        network = tiny_model.network(torch.float32)
        method = kind(rank=4)
        method.attach(network)
        found[kind] = trained(method, network)
    assert set(found[LoraFa]) == {name for name in found[Lora] if "lora_B" in name}
    for name, gradient in found[LoraFa].items():
        torch.testing.assert_close(gradient, found[Lora][name], rtol=1e-5, atol=1e-6)


def test_a_is_what_was_drawn_behind_training(tiny_model, dataset, environment, tmp_path) -> None:
    tuned = train("lora_fa", tmp_path, dataset, tiny_model, environment)
    environment.start()
    drawn = tiny_model.network(torch.float32)
    LoraFa().attach(drawn)
    network = tuned.network(tiny_model, torch.float32)
    for name, weight in drawn.named_parameters():
        if "lora_A" in name:
            assert torch.equal(weight, network.get_parameter(name))
        if "lora_B" in name:
            assert network.get_parameter(name).abs().max() > 0


@pytest.mark.parametrize("init", ["pissa", "olora"])
def test_a_start_in_the_weight_sets_a_alone(init, tiny_model, tmp_path) -> None:
    network = tiny_model.network(torch.float32)
    before = logits(network)
    method = LoraFa(rank=4, init=init)
    method.attach(network)
    assert torch.equal(logits(network), before)
    assert network.model.layers[0].self_attn.q_proj.start_A is None
    method.save(network, tmp_path, "tiny")
    assert json.loads((tmp_path / "adapter_config.json").read_text())["r"] == 4


def test_a_rate_of_b_in_times_of_as_is_refused() -> None:
    with pytest.raises(RecipeError, match=r"rate_ratio = 16[\s\S]*A does not move[\s\S]*lora_fa.rate_ratio"):
        LoraFa(rate_ratio=16)
