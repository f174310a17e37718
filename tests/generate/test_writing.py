"""Many answers at once: places, limits, draws and memory."""

from __future__ import annotations

import pytest
import torch

from sevenfold.chat.encoder import TokenSequence
from sevenfold.generate import slots, writing
from sevenfold.generate.engine import Sampling
from sevenfold.generate.engines.transformers import TransformersEngine
from sevenfold.generate.fitting import fit
from sevenfold.generate.memory import remembering
from sevenfold.generate.writing import Writing, chances

PROMPTS = [[5, 6, 7], [8] * 12, [9, 10, 11, 12, 13], [30, 31], [8] * 12, [8] * 12 + [40], [77] * 30]


@pytest.fixture(scope="module")
def engine(tiny_model):
    return TransformersEngine(tiny_model.network(torch.float32), tiny_model.encoder())


def ids_of(engine, sampling, prompts=PROMPTS):
    return [answer.ids for answer in engine.generate(prompts, sampling)]


def test_what_is_drawn_does_not_hang_on_what_is_written_beside_it(engine, monkeypatch) -> None:
    sampling = Sampling(max_new_tokens=24, temperature=1.0, top_p=0.9, seed=3)
    whole = ids_of(engine, sampling)
    assert len({len(ids) for ids in whole}) > 1 or len({tuple(ids) for ids in whole}) == len(PROMPTS)
    for rows, read, stem in ((1, 1, 1), (2, 16, 2), (3, 1000, 32)):
        monkeypatch.setattr(writing, "ROWS", rows)
        monkeypatch.setattr(writing, "READ", read)
        monkeypatch.setattr(writing, "STEM", stem)
        assert ids_of(engine, sampling) == whole


def test_a_stem_is_kept_once_and_changes_nothing(engine, monkeypatch) -> None:
    prompts = [[*range(100, 150), *prompt] for prompt in PROMPTS]
    stems = []
    made = slots.Slots.__init__

    def noted(self, *arguments):
        made(self, *arguments)
        stems.append(self.before)

    monkeypatch.setattr(slots.Slots, "__init__", noted)
    sampling = Sampling(max_new_tokens=16)
    found = ids_of(engine, sampling, prompts)
    assert max(stems) == 50
    stems.clear()
    monkeypatch.setattr(writing, "STEM", 1000)
    assert ids_of(engine, sampling, prompts) == found == [engine.answer([one], sampling)[0].ids for one in prompts]
    assert max(stems) == 0


def test_keys_and_values_stay_within_their_room(engine, monkeypatch) -> None:
    taken = []
    made = slots.Slots.__init__

    def noted(self, count, places, *others):
        made(self, count, places, *others)
        taken.append(count * places)

    monkeypatch.setattr(slots.Slots, "__init__", noted)
    sampling = Sampling(max_new_tokens=16)
    whole = ids_of(engine, sampling)
    token = fit(engine.network).token
    # Two layers, keys and values, two heads of 16 figures of 4 bytes.
    assert token == 2 * 2 * 2 * 16 * 4
    monkeypatch.setattr(writing, "ROOM", token * 100)
    assert max(taken) > 100
    taken.clear()
    assert ids_of(engine, sampling) == whole
    assert max(taken) <= 100


def test_the_place_of_an_answer_that_ended_is_taken_by_the_next(engine, monkeypatch) -> None:
    """The steps are those of the fullest use of two places, not of two prompts after two others."""
    monkeypatch.setattr(writing, "ROWS", 2)
    steps = []
    start = slots.Slots.start
    monkeypatch.setattr(slots.Slots, "start", lambda self: (steps.append(1), start(self)))
    prompts, limits = [[20 + number, 5] for number in range(4)], [6, 23, 9, 9]
    asked = Writing(engine.network, fit(engine.network), prompts, Sampling(), [], limits)
    with torch.inference_mode(), remembering(engine.network):
        found = {written.index: written.ids for written in asked.answers()}
    assert [len(found[index]) for index in range(4)] == limits
    # One place writes 23 tokens, the other 6 + 9 + 9 meanwhile; each first token comes from its prompt.
    assert len(steps) == 22


def test_texts_of_very_different_length_are_apart_where_they_are_many(engine, monkeypatch) -> None:
    monkeypatch.setattr(writing, "ROWS", 2)
    prompts = [[5] * 100, [6, 5], [7, 5], [8, 5], [9] * 90]
    asked = Writing(engine.network, fit(engine.network), prompts, Sampling(max_new_tokens=4), [])
    assert asked.groups() == [[1, 2, 3], [4, 0]]
    monkeypatch.setattr(writing, "ROWS", 64)
    assert len(asked.groups()) == 1


def test_draws_are_the_seeds() -> None:
    assert chances(3, Sampling()) is None
    drawn = [chances(3, Sampling(max_new_tokens=5, temperature=1.0, seed=seed)) for seed in (1, 1, 2)]
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    unseeded = [chances(3, Sampling(max_new_tokens=5, temperature=1.0)) for _ in range(2)]
    assert not torch.equal(*unseeded)


def test_nothing_is_asked_of_nothing(engine) -> None:
    assert engine.generate([], Sampling()) == []
    assert engine.score([]) == []
    (score,) = engine.score([TokenSequence([5, 6], [0.0, 0.0])])
    assert (score.nll, score.tokens, score.log_probs) == (0.0, 0, [])


def test_half_precision_is_as_near_as_the_plain_way(tiny_model, engine) -> None:
    """In bfloat16 both ways are off from float32; neither more than the other."""
    half = TransformersEngine(tiny_model.network(torch.bfloat16), tiny_model.encoder())
    sequences = [TokenSequence(prompt * 6, [0.0, *[1.0] * (6 * len(prompt) - 1)]) for prompt in PROMPTS]
    exact = [one.log_probs for one in engine.score(sequences)]

    def off(scores):
        pairs = [
            pair for one, other in zip(scores, exact, strict=True) for pair in zip(one.log_probs, other, strict=True)
        ]
        return sum(abs(one - other) for one, other in pairs) / len(pairs)

    ours, plain = off(half.score(sequences)), off([half.score_one(one) for one in sequences])
    assert 0 < ours < 1.5 * plain
