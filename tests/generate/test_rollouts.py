"""Rollouts beside transformers' own generation."""

from __future__ import annotations

import pytest
import torch

from sevenfold.generate.choosing import nucleus
from sevenfold.generate.engine import Sampling
from sevenfold.generate.engines.transformers import TransformersEngine
from sevenfold.generate.rollouts import fits, rollouts

PROMPTS = [[5, 6, 7], [8] * 12, [9, 10, 11, 12, 13], [30, 31]]


@pytest.fixture(params=["together", "padded"])
def network(request, tiny_model, monkeypatch):
    if request.param == "padded":
        monkeypatch.setattr("sevenfold.generate.rollouts.fit", lambda network: None)
    return tiny_model.network(torch.float32)


def test_greedy_answers_are_those_of_the_engine(network, tiny_model) -> None:
    sampling = Sampling(max_new_tokens=24)
    expected = [answer.ids for answer in TransformersEngine(network, tiny_model.encoder()).generate(PROMPTS, sampling)]
    found = rollouts(network, PROMPTS, 2, sampling, tiny_model.stop_ids)
    assert [len(own) for own in found] == [2] * len(PROMPTS)
    assert [own[0] for own in found] == expected == [own[1] for own in found]


def test_answers_are_drawn_by_what_the_network_says(network) -> None:
    (found,) = rollouts(network, [[5, 6, 7]], 4000, Sampling(max_new_tokens=1, temperature=1.0, seed=3), [2])
    with torch.no_grad():
        said = torch.softmax(network(torch.tensor([[5, 6, 7]])).logits[0, -1], -1)
    counted = torch.bincount(torch.tensor([ids[0] for ids in found]), minlength=len(said)) / 4000
    assert float((counted - said).abs().sum()) < 3 * float(((said * (1 - said)) / 4000).sqrt().sum())


def test_a_row_does_not_depend_on_its_neighbours_nor_on_rows_that_end(network) -> None:
    sampling = Sampling(max_new_tokens=24, temperature=1.0, seed=1)
    ends = range(2, 200)  # nearly half of all tokens end an answer, so rows leave all the time
    together = rollouts(network, PROMPTS, 3, sampling, ends)
    assert together == rollouts(network, PROMPTS, 3, sampling, ends)
    longest = [own[:] for own in rollouts(network, PROMPTS, 3, sampling, [])]
    for own, whole in zip(together, longest, strict=True):
        for ids, unended in zip(own, whole, strict=True):
            assert ids == unended[: len(ids)]
            assert all(token not in ends for token in ids[:-1])
            assert len(ids) == 24 or ids[-1] in ends


def test_few_rows_at_a_time_give_the_same(network, monkeypatch) -> None:
    sampling = Sampling(max_new_tokens=8, temperature=0.7, top_p=0.9, seed=5)
    whole = rollouts(network, PROMPTS, 2, sampling, [2])
    monkeypatch.setattr("sevenfold.generate.rollouts.ROOM", 1)
    monkeypatch.setattr("sevenfold.generate.writing.ROOM", 1)
    assert rollouts(network, PROMPTS, 2, sampling, [2]) == whole


def test_the_nucleus_has_the_likeliest() -> None:
    probs = torch.tensor([[0.1, 0.5, 0.15, 0.25]])
    assert nucleus(probs, 0.6).tolist() == [pytest.approx([0, 0.5, 0, 0.25])]
    assert nucleus(probs, 0.5).tolist() == [pytest.approx([0, 0.5, 0, 0])]


def test_what_fits(network) -> None:
    from transformers import MambaConfig, MambaForCausalLM, T5Config, T5ForConditionalGeneration

    assert fits(network)
    sizes = {"vocab_size": 20, "hidden_size": 8, "num_hidden_layers": 1}
    assert not fits(MambaForCausalLM(MambaConfig(**sizes)))
    assert not fits(T5ForConditionalGeneration(T5Config(vocab_size=20, d_model=8, d_kv=4, d_ff=8, num_layers=1)))
