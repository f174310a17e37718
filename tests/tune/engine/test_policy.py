"""The network in training as one that writes."""

from __future__ import annotations

import pytest
import torch

from sevenfold.chat.encoder import TokenSequence
from sevenfold.generate.engine import Sampling
from sevenfold.tune.engine import policy
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import build

PROMPTS = [TokenSequence([5, 6, 7]), TokenSequence([8] * 9), TokenSequence([40, 41])]


@pytest.fixture
def forward(tiny_model, environment):
    """A network whose adapters have moved."""
    section = TuneSection.model_validate({"method": {"lora": {"rank": 4, "dropout": 0.3}}})
    found = build(section, tiny_model, environment)
    for weight in section.method.trainable(found.network).values():
        torch.nn.init.normal_(weight, std=0.1)
    return found


def greedy(forward, tiny_model, **more):
    return policy.answers(forward, tiny_model.encoder(), PROMPTS, 2, Sampling(max_new_tokens=10), **more)


def test_merged_or_beside_the_base_by_hand_or_by_transformers_the_answers_are_the_same(
    forward, tiny_model, monkeypatch
) -> None:
    expected = []
    with torch.no_grad():
        forward.network.eval()
        for prompt in PROMPTS:
            ids = list(prompt.ids)
            while len(ids) < len(prompt) + 10 and (len(ids) == len(prompt) or ids[-1] not in tiny_model.stop_ids):
                batch = policy.pack([TokenSequence([*ids, 0], [0.0] * len(ids) + [1.0])])
                ids.append(int(forward.head.logits(forward.hidden(batch)).argmax()))
            expected.append(ids[len(prompt) :])
        forward.network.train()
    assert greedy(forward, tiny_model) == [[ids, ids] for ids in expected]
    monkeypatch.setattr("sevenfold.generate.rollouts.fits", lambda network: False)
    assert greedy(forward, tiny_model) == [[ids, ids] for ids in expected]


def test_the_network_is_left_as_it_was(forward, tiny_model) -> None:
    parts = dict(forward.network.named_modules())
    greedy(forward, tiny_model)
    assert {name: id(part) for name, part in forward.network.named_modules()} == {
        name: id(part) for name, part in parts.items()
    }
    assert forward.network.training
    assert forward.network.config._attn_implementation == "sevenfold_documents"


def test_what_is_said_of_each_token_is_what_a_pass_says(forward) -> None:
    sequences = []
    for prompt in PROMPTS:
        sequence = TokenSequence()
        sequence.append(prompt.ids, 0.0)
        sequence.branch([9, 10], 1.0)
        sequence.branch([11], 1.0)
        sequences.append(sequence)
    found = policy.said(forward, lambda forward, batch: forward(batch), sequences)
    forward.network.eval()
    for sequence, values in zip(sequences, found, strict=True):
        start = sequence.branches[0]
        with torch.no_grad():
            expected = forward(policy.pack([sequence]))
        assert values[:start].tolist() == [0.0] * start
        assert values[start:].tolist() == pytest.approx(expected.tolist(), abs=1e-5)


def test_a_temperature_divides_the_logits(forward) -> None:
    batch = policy.pack([TokenSequence([5, 6, 7, 8], [0.0, 1.0, 1.0, 1.0])])
    forward.network.eval()
    with torch.no_grad():
        states, found = forward.states_and_logprobs(batch, 0.5)
        logits = forward.head.logits(forward.hidden(batch))
    expected = torch.log_softmax(logits / 0.5, -1).gather(1, batch.labels_N[:, None])[:, 0]
    assert torch.equal(states, forward.hidden(batch))
    assert found.tolist() == pytest.approx(expected.tolist(), abs=1e-5)
