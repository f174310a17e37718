"""AdaLoRA's choice of ranks: by hand, and beside PEFT's own allocator."""

from __future__ import annotations

import pytest
import torch

from sevenfold.tune.engine import ranks
from sevenfold.tune.engine.ranks import Budget
from sevenfold.tune.methods.adalora import Adalora, adapters

IDS = torch.tensor([[1, 5, 9, 2, 30]])


@pytest.fixture
def network(tiny_model):
    """An adapted network whose change is not zero, with gradients."""
    network = tiny_model.network(torch.float32)
    torch.manual_seed(1)
    method = Adalora(initial_rank=4, target_rank=2)
    method.attach(network)
    for weight in method.trainable(network).values():
        torch.nn.init.normal_(weight, std=0.2)
    network(IDS).logits.logsumexp(-1).sum().backward()
    return network


def test_the_budget_falls_with_the_cube_of_the_time_that_is_left() -> None:
    budget = Budget(first=120, last=80, total=100, warmup=10, final=30, every=10)
    assert [budget.at(step) for step in (0, 10, 40, 70, 100)] == [120, 120, 80 + 40 // 8, 80, 80]
    assert [step for step in range(101) if budget.is_due(step)] == [20, 30, 40, 50, 60, 70]


def test_the_last_choice_falls_on_the_last_step_of_the_budget() -> None:
    budget = Budget(first=12, last=8, total=7, warmup=0, final=2, every=4)
    assert [step for step in range(8) if budget.is_due(step)] == [4, 5]
    assert budget.at(5) == 8


def test_the_term_of_orthogonality_has_autograds_gradient(network) -> None:
    layers = adapters(network)
    before = {name: weight.grad.clone() for name, weight in network.named_parameters() if weight.grad is not None}
    ranks.add_orthogonality(layers, 0.5)
    terms = []
    for layer in layers.values():
        a, b = layer.lora_A["default"], layer.lora_B["default"]
        terms += [torch.linalg.norm(a @ a.T - torch.eye(4)), torch.linalg.norm(b.T @ b - torch.eye(4))]
    loss = 0.5 * torch.stack(terms).mean()
    moving = [weight for weight in network.parameters() if weight.requires_grad]
    expected = torch.autograd.grad(loss, moving, allow_unused=True, materialize_grads=True)
    names = [name for name, weight in network.named_parameters() if weight.requires_grad]
    for name, weight, term in zip(names, moving, expected, strict=True):
        torch.testing.assert_close(weight.grad - before[name], term, rtol=1e-4, atol=1e-6)


def test_scores_are_pefts(network) -> None:
    from peft import AdaLoraConfig
    from peft.tuners.adalora.layer import RankAllocator

    layers = adapters(network)
    theirs = RankAllocator(network, AdaLoraConfig(init_r=4, target_r=2, total_step=9), "default")
    for factor in (1.0, 0.5, -2.0):
        for weight in network.parameters():
            if weight.grad is not None:
                weight.grad *= factor
        ranks.measure(layers, 0.85, 0.85)
        theirs.update_ipt(PlainNames(network))
    ranks.choose(layers, 30)
    kept = {name: layer.kept.tolist() for name, layer in layers.items()}
    pattern = theirs.mask_to_budget(network, 30)
    assert {name.removesuffix(".lora_E.default"): mask for name, mask in pattern.items()} == kept
    ranks.drop(layers)
    assert sum(int((layer.lora_E["default"] != 0).sum()) for layer in layers.values()) == 30


class PlainNames:
    """PEFT's allocator reads the gradients of every weight of an adapter: here of those that have one."""

    def __init__(self, network) -> None:
        self.network = network

    def named_parameters(self):
        return [(name, weight) for name, weight in self.network.named_parameters() if weight.grad is not None]


def test_equal_scores_keep_the_first() -> None:
    class Layer(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lora_A, self.lora_B = {"default": torch.ones(3, 5)}, {"default": torch.ones(2, 3)}
            self.lora_E = {"default": torch.ones(3, 1)}

    layers = {"one": Layer(), "two": Layer()}
    ranks.prepare(layers)
    ranks.choose(layers, 4)
    assert [layer.kept.tolist() for layer in layers.values()] == [[True] * 3, [True, False, False]]
