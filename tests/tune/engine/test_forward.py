"""The engine's forward pass equals the plain one of each row alone, for every architecture, whatever parts it takes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from sevenfold.chat.encoder import TokenSequence
from sevenfold.tune.engine import documents, layouts, probe
from sevenfold.tune.engine.forward import Forward
from sevenfold.tune.engine.lora import LoraLinear, share_inputs
from sevenfold.tune.engine.passes import Pass, pack
from sevenfold.tune.methods.lora import Lora
from tests.tune.engine.architectures import ARCHITECTURES

every_architecture = pytest.mark.parametrize("name", ARCHITECTURES)


def rows() -> list[TokenSequence]:
    """Rows of different lengths; in some, what is not learnt stands between what is."""
    generator = torch.Generator().manual_seed(1)
    found = []
    for length in (9, 4, 12, 11):
        weights = [0.0, 0.0] + [1.0] * (length - 2)
        weights[6:8] = [0.0] * len(weights[6:8])
        found.append(TokenSequence(torch.randint(3, 96, (length,), generator=generator).tolist(), weights))
    return found


def plain(network, batch: Pass) -> torch.Tensor:
    """What transformers computes for each document by itself."""
    found = []
    for single in probe.apart(batch):
        logits = probe.plain(network, single)[1]
        found.append(torch.log_softmax(logits.float(), -1).gather(-1, single.labels_N[:, None])[:, 0])
    return torch.cat(found)


def gradients(network, logprobs_N: torch.Tensor) -> dict[str, torch.Tensor]:
    direction = torch.randn(len(logprobs_N), generator=torch.Generator().manual_seed(3))
    network.zero_grad()
    (logprobs_N * direction).sum().backward()
    return {name: part.grad.clone() for name, part in network.named_parameters() if part.grad is not None}


def assert_equal_gradients(found: dict, expected: dict) -> None:
    assert found.keys() == expected.keys()
    assert found
    largest = max(float(gradient.abs().max()) for gradient in expected.values())
    for name, gradient in found.items():
        difference = gradient - expected[name]
        assert float(difference.abs().max()) < 1e-4 * largest, name
        assert abs(float(difference.mean())) < 1e-5 * largest, name


@every_architecture
def test_equals_each_row_alone_in_the_plain_network(name: str) -> None:
    network, batch = ARCHITECTURES[name].build(), pack(rows())
    layouts.use_eager(network)
    expected = plain(network, batch)
    expected_gradients = gradients(network, expected)
    found = Forward(network, torch.float32)(batch)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=2e-5)
    assert abs(float((found - expected).mean())) < 1e-5
    assert_equal_gradients(gradients(network, found), expected_gradients)


@every_architecture
def test_the_parts_that_apply_are_those_of_the_table(name: str) -> None:
    forward = Forward(ARCHITECTURES[name].build(), torch.float32)
    found = (forward.layout.name, forward.head.name)
    assert found == (ARCHITECTURES[name].layout, ARCHITECTURES[name].head), forward.notes
    # What is not the best is said.
    assert len(forward.notes) == (forward.layout.name != "documents") + (forward.head.name == "own")


@every_architecture
def test_bfloat16_takes_the_same_parts(name: str) -> None:
    forward = Forward(ARCHITECTURES[name].build().bfloat16(), torch.bfloat16)
    assert (forward.layout.name, forward.head.name) == (ARCHITECTURES[name].layout, ARCHITECTURES[name].head)


@every_architecture
def test_lora_on_all_linear_layers_trains(name: str) -> None:
    architecture, batch = ARCHITECTURES[name], pack(rows())
    network = architecture.build()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    Lora(rank=2).attach(network)
    forward = Forward(network, torch.float32)
    share_inputs(network, lambda: forward(probe.trial(network)))
    moving = [part for part in network.parameters() if part.requires_grad]
    optimizer = torch.optim.Adam(moving, lr=0.01)
    losses = []
    for _ in range(4):
        loss = -forward(batch).mean()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss))
    assert losses[-1] < losses[0] - 0.05
    for key, value in network.state_dict().items():
        assert "lora_" in key or torch.equal(value, before[key.replace(".base_layer", "")]), key
    assert unadapted(network) == architecture.unadapted


@every_architecture
def test_gradients_of_lora_equal_the_plain_ones(name: str) -> None:
    network, batch = ARCHITECTURES[name].build(), pack(rows())
    Lora(rank=2).attach(network)
    for part in network.modules():
        if isinstance(part, LoraLinear):
            torch.nn.init.normal_(part.lora_B.weight, std=0.1)
    layouts.use_eager(network)
    expected = gradients(network, plain(network, batch))
    forward = Forward(network, torch.float32)
    share_inputs(network, lambda: forward(probe.trial(network)))
    assert_equal_gradients(gradients(network, forward(batch)), expected)


def unadapted(network) -> set[str]:
    """Matrices between the embeddings and the head that have no adapter beside them, by the ends of their names."""
    ends = (network.get_input_embeddings(), network.get_output_embeddings())
    outside = {id(weight) for part in ends for weight in part.parameters()}
    adapted = {id(weight) for part in network.modules() if isinstance(part, LoraLinear) for weight in part.parameters()}
    return {
        ".".join(name.split(".")[-2:])
        for name, weight in network.named_parameters()
        if weight.dim() > 1 and id(weight) not in outside | adapted
    }
