from __future__ import annotations

import threading

import pytest
import torch

from sevenfold.chat.conversation import Conversation, Message
from sevenfold.errors import ModelError
from sevenfold.generate.engine import Answer, Capacity, Sampling
from sevenfold.generate.engines import ENGINES
from sevenfold.generate.engines.transformers import TransformersEngine

QUESTIONS = ["hi", "سلام دنیا", "the model reads the data and writes", "🦊?", "a longer question about the data"]


@pytest.fixture(scope="module")
def engine(tiny_model):
    return TransformersEngine(tiny_model.network(torch.float32), tiny_model.encoder(), batch_size=2)


@pytest.fixture(scope="module")
def prompts(engine):
    return [engine.encoder.prompt([Message("user", text)]) for text in QUESTIONS]


def plain_greedy(engine, prompt, count):
    """The likeliest token by full forward passes, no cache, no batch."""
    ids = list(prompt)
    for _ in range(count):
        logits = engine.network(torch.tensor([ids])).logits[0, -1]
        ids.append(int(logits.argmax()))
        if ids[-1] in engine.encoder.stop_ids:
            break
    return ids[len(prompt) :]


def test_batched_greedy_equals_plain_forward_passes(engine, prompts):
    answers = engine.generate(prompts, Sampling(max_new_tokens=12))
    assert [answer.ids for answer in answers] == [plain_greedy(engine, prompt, 12) for prompt in prompts]
    assert [answer.prompt_tokens for answer in answers] == [len(prompt) for prompt in prompts]
    assert all(answer.completion_tokens == len(answer.ids) for answer in answers)


def test_streamed_text_is_the_generated_text(engine, prompts):
    for prompt in prompts:
        *pieces, last = engine.stream(prompt, Sampling(max_new_tokens=20))
        whole = engine.generate([prompt], Sampling(max_new_tokens=20))[0]
        assert isinstance(last, Answer)
        assert ("".join(pieces), last.ids) == (last.text, last.ids) == (whole.text, whole.ids)
        assert last.finish_reason == whole.finish_reason


def test_a_stop_text_ends_the_answer(engine, prompts):
    whole = engine.generate(prompts[:1], Sampling(max_new_tokens=20))[0]
    stop = whole.text[4:6]
    cut = engine.generate(prompts, Sampling(max_new_tokens=20, stop=(stop,)))[0]
    assert (cut.text, cut.finish_reason) == (whole.text[: whole.text.index(stop)], "stop")
    assert cut.completion_tokens < whole.completion_tokens
    streamed = list(engine.stream(prompts[0], Sampling(max_new_tokens=20, stop=(stop,))))
    assert streamed[-1].text == cut.text


def test_a_stop_token_ends_the_answer(engine, prompts, monkeypatch):
    whole = engine.generate(prompts[:1], Sampling(max_new_tokens=20))[0]
    monkeypatch.setattr(engine.encoder, "stop_ids", frozenset({whole.ids[3]}))
    answer = engine.generate(prompts[:1], Sampling(max_new_tokens=20))[0]
    assert answer.finish_reason == "stop"
    assert answer.ids == whole.ids[: whole.ids.index(whole.ids[3]) + 1]


def test_draws_repeat_with_a_seed_and_leave_the_callers_generator_alone(engine, prompts):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first, again, other = (
        engine.generate(prompts, Sampling(max_new_tokens=10, temperature=1.0, seed=seed)) for seed in (3, 3, 4)
    )
    assert torch.equal(torch.rand(3), expected)
    assert [a.ids for a in first] == [a.ids for a in again] != [a.ids for a in other]


def test_the_models_own_generation_settings_do_not_leak_in(engine, prompts):
    plain = engine.generate(prompts, Sampling(max_new_tokens=10))
    engine.network.generation_config.repetition_penalty = 5.0
    try:
        assert [a.ids for a in engine.generate(prompts, Sampling(max_new_tokens=10))] == [a.ids for a in plain]
        assert engine.network.generation_config.repetition_penalty == 5.0
    finally:
        engine.network.generation_config.repetition_penalty = 1.0


def test_scores_equal_the_full_softmax(engine):
    talk = Conversation((Message("user", "hi"), Message("assistant", "the data", 0.5), Message("user", "سلام")))
    talk = Conversation((*talk.messages, Message("assistant", "writes the answer")))
    (sequence,) = engine.encoder.sequences(talk)
    ids = torch.tensor([sequence.ids])
    log_probs = engine.network(ids).logits[0, :-1].log_softmax(-1).gather(1, ids[0, 1:, None])[:, 0]
    weights = torch.tensor(sequence.weights[1:])
    (score,) = engine.score([sequence])
    assert score.tokens == sequence.supervised
    assert score.nll == pytest.approx(-(weights * log_probs).sum().item(), rel=1e-5)
    assert score.log_probs == pytest.approx(log_probs[weights > 0].tolist(), rel=1e-4)


def test_next_log_probs_are_the_softmax_of_the_last_position(engine, prompts):
    expected = engine.network(torch.tensor([prompts[0]])).logits[0, -1].log_softmax(-1)
    found = engine.next_log_probs(prompts[0], 5)
    assert list(found) == expected.topk(5).indices.tolist()
    assert list(found.values()) == pytest.approx(expected.topk(5).values.tolist(), abs=1e-4)


def test_a_prompt_that_fills_the_context_is_refused_with_counts(engine):
    with pytest.raises(ModelError, match=r"512 tokens, the context of transformers has 512"):
        engine.generate([[5] * 512], Sampling())


def test_what_the_context_leaves_limits_the_answer(engine, prompts):
    short, long = engine.generate([prompts[0], [5] * 508], Sampling(max_new_tokens=8))
    assert long.completion_tokens <= 4 < short.completion_tokens


def test_closing_a_stream_stops_the_network(engine, prompts):
    stream = engine.stream(prompts[0], Sampling(max_new_tokens=400))
    next(stream)
    before = threading.active_count()
    stream.close()
    assert threading.active_count() == before - 1


def test_a_training_network_is_given_back_in_training_mode(engine, prompts):
    engine.network.train()
    engine.generate(prompts[:1], Sampling(max_new_tokens=2))
    assert engine.network.training
    engine.network.eval()


def test_the_backend_opens_a_folder(tiny_model, engine, prompts):
    backend = ENGINES.find("transformers")()
    opened = backend.open(tiny_model.weights, tiny_model.encoder(), Capacity(threads=1, context=128))
    assert opened.context == 128
    sampling = Sampling(max_new_tokens=6)
    assert opened.generate(prompts[:1], sampling)[0].ids == engine.generate(prompts[:1], sampling)[0].ids


def test_a_folder_without_a_model_is_refused_with_its_place(tmp_path, tiny_model):
    with pytest.raises(ModelError) as caught:
        ENGINES.find("transformers")().open(tmp_path, tiny_model.encoder(), Capacity())
    assert str(tmp_path) in str(caught.value)
