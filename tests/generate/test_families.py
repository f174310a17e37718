"""Answers and scores of many at once beside plain calls, over the architectures of transformers."""

from __future__ import annotations

import random
from statistics import fmean

import pytest

from sevenfold.chat.encoder import TokenSequence
from sevenfold.generate import paths, writing
from sevenfold.generate.engine import Sampling
from sevenfold.generate.engines.transformers import TransformersEngine
from sevenfold.generate.fitting import fit
from tests.tune.engine.architectures import ARCHITECTURES

CAUSAL = {
    name: one
    for name, one in ARCHITECTURES.items()
    if "transform" not in one.head and name not in ("T5", "BART", "mBART", "M2M100")
}
PLAIN = {
    "GPT-Neo", "GPT-J", "gpt-oss", "Llama 4", "Falcon", "Falcon with ALiBi", "BLOOM", "MPT", "Mamba", "Mamba 2", "RWKV",
    "Jamba", "LFM2", "Qwen3-Next",
}  # fmt: skip
"""What attends in a way of its own, or keeps something else than keys and values."""
TOLERANCE = 1e-4


class Ids:
    """A tokenizer's place where texts are ids already."""

    pad_token_id = 0


class Encoder:
    """What an engine asks of an encoder."""

    tokenizer, end_id, stop_ids = Ids(), 2, frozenset({2, 3, 4})

    def decode(self, ids, skip_special):
        return "".join(chr(200 + one) for one in ids if one not in self.stop_ids)


def engine_of(name):
    network = CAUSAL[name].build(initializer_range=0.3) if name != "RWKV" else CAUSAL[name].build()
    return TransformersEngine(network, Encoder(), batch_size=3)


def prompts():
    """Some that begin alike, of several lengths; all begin with the same ten tokens."""
    draws = random.Random(5)
    stems = [[draws.randrange(5, 96) for _ in range(length)] for length in (10, 6)]
    return [
        [*stems[0], *(stems[1] if number % 2 else []), *(draws.randrange(5, 96) for _ in range(draws.randrange(1, 7)))]
        for number in range(9)
    ]


@pytest.mark.parametrize("name", sorted(CAUSAL))
def test_answers_are_those_of_each_prompt_alone(name, monkeypatch) -> None:
    monkeypatch.setattr(writing, "ROWS", 4)
    monkeypatch.setattr(writing, "STEM", 4)
    monkeypatch.setattr(writing, "READ", 20)
    engine, asked, sampling = engine_of(name), prompts(), Sampling(max_new_tokens=12)
    assert (fit(engine.network) is None) == (name in PLAIN)
    expected = [engine.answer([prompt], sampling)[0].ids for prompt in asked]
    assert [answer.ids for answer in engine.generate(asked, sampling)] == expected
    assert engine.network.config._attn_implementation != "sevenfold_memory"


@pytest.mark.parametrize("name", sorted(CAUSAL))
def test_scores_are_those_of_each_sequence_alone(name, monkeypatch) -> None:
    monkeypatch.setattr("sevenfold.generate.scoring.READ", 40)
    monkeypatch.setattr(paths.Sheets.__init__, "__defaults__", (0, 3))
    engine, draws = engine_of(name), random.Random(1)
    sequences = []
    for prompt in [*prompts(), *prompts()[:4]]:
        own = [draws.randrange(5, 96) for _ in range(draws.randrange(1, 4))]
        sequences.append(TokenSequence([*prompt, *own], [0.0] * len(prompt) + [0.5] * len(own)))
    sequences += [TokenSequence(prompt, [0.0, *[1.0] * (len(prompt) - 1)]) for prompt in prompts()[:3]]
    sequences.append(TokenSequence([5, 6], [1.0, 0.0]))
    found, expected = engine.score(sequences), [engine.score_one(one) for one in sequences]
    assert [one.tokens for one in found] == [one.tokens for one in expected]
    gaps = [
        abs(left - right)
        for one, other in zip(found, expected, strict=True)
        for left, right in zip([*one.log_probs, one.nll], [*other.log_probs, other.nll], strict=True)
    ]
    assert max(gaps) < TOLERANCE
    assert fmean(gaps) < TOLERANCE / 10
