from __future__ import annotations

import threading

import pytest

from sevenfold.chat.conversation import Message
from sevenfold.chat.encoder import Encoder
from sevenfold.errors import ModelError
from sevenfold.generate.engine import Capacity, Sampling
from sevenfold.generate.engines import ENGINES
from sevenfold.generate.engines.transformers import TransformersEngine
from sevenfold.generate.engines.xllamacpp import XllamacppEngine
from tests.generate import llama_style

QUESTIONS = ["hi", "سلام دنیا", "the model reads the data and writes", "🦊?", "a longer question about the data"]
SAYING = "éسی🦊 ok"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return llama_style.make(tmp_path_factory.mktemp("llama"))


@pytest.fixture(scope="module")
def reference(folder):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    encoder = Encoder(AutoTokenizer.from_pretrained(folder), [2])
    return TransformersEngine(AutoModelForCausalLM.from_pretrained(folder).eval(), encoder)


@pytest.fixture(scope="module")
def engine(folder, reference):
    file = llama_style.convert(folder, folder / "tiny.gguf")
    with XllamacppEngine(file, reference.encoder, Capacity(threads=1, at_once=3, context=256)) as engine:
        yield engine


@pytest.fixture(scope="module")
def parrot(tmp_path_factory, reference):
    folder = llama_style.make_parrot(tmp_path_factory.mktemp("parrot"), SAYING)
    file = llama_style.convert(folder, folder / "parrot.gguf")
    with XllamacppEngine(file, reference.encoder, Capacity(threads=1, at_once=2, context=128)) as engine:
        yield engine


@pytest.fixture(scope="module")
def prompts(reference):
    return [reference.encoder.prompt([Message("user", text)]) for text in QUESTIONS]


def test_it_reads_the_same_ids_and_answers_as_the_reference(engine, reference, prompts):
    sampling = Sampling(max_new_tokens=6)
    ours, theirs = engine.generate(prompts, sampling), reference.generate(prompts, sampling)
    assert [a.ids for a in ours] == [a.ids for a in theirs]
    assert [a.text for a in ours] == [a.text for a in theirs]
    assert [a.prompt_tokens for a in ours] == [len(prompt) for prompt in prompts]


def test_log_probs_along_an_answer_are_those_of_the_reference(engine, reference, prompts):
    for prompt, answer in zip(prompts, reference.generate(prompts, Sampling(max_new_tokens=8)), strict=True):
        for known in range(len(answer.ids)):
            ids = prompt + answer.ids[:known]
            ours, theirs = engine.next_log_probs(ids, 400), reference.next_log_probs(ids, 5)
            assert [ours[token] for token in theirs] == pytest.approx(list(theirs.values()), abs=0.01)


def test_a_stream_gives_whole_characters_and_the_generated_text(parrot, prompts):
    sampling = Sampling(max_new_tokens=40)
    *pieces, last = parrot.stream(prompts[0], sampling)
    whole = parrot.generate(prompts[:1], sampling)[0]
    assert "".join(pieces) == last.text == whole.text == SAYING
    assert pieces[:4] == ["é", "س", "ی", "🦊"]
    assert (last.finish_reason, whole.finish_reason) == ("stop", "stop")
    assert last.completion_tokens == whole.completion_tokens == len(whole.ids)
    assert whole.ids[-1] == 2


def test_limits_and_stop_texts_end_a_stream_and_an_answer_alike(parrot, prompts):
    for sampling in (Sampling(max_new_tokens=6), Sampling(stop=("🦊",))):
        *pieces, last = parrot.stream(prompts[0], sampling)
        whole = parrot.generate(prompts[:1], sampling)[0]
        assert "".join(pieces) == whole.text == "éسی"
        assert last.finish_reason == whole.finish_reason == ("stop" if sampling.stop else "length")


def test_a_stop_token_that_llama_cpp_does_not_know_ends_the_answer(parrot, prompts, monkeypatch):
    fox = parrot.generate(prompts[:1], Sampling())[0].ids[-3]
    monkeypatch.setattr(parrot.encoder, "stop_ids", frozenset({fox}))
    *pieces, last = parrot.stream(prompts[0], Sampling())
    whole = parrot.generate(prompts[:1], Sampling())[0]
    assert "".join(pieces) == whole.text
    assert SAYING.startswith(whole.text)
    assert last.finish_reason == whole.finish_reason == "stop"


def test_answers_to_threads_that_call_together_are_not_mixed_up(engine, prompts):
    sampling = Sampling(max_new_tokens=6)
    alone = [engine.generate([prompt], sampling)[0].ids for prompt in prompts]
    found: dict[int, list[int]] = {}

    def call(place: int) -> None:
        found[place] = engine.generate([prompts[place % len(prompts)]], sampling)[0].ids

    threads = [threading.Thread(target=call, args=(place,)) for place in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[place] for place in range(10)] == alone * 2


def test_draws_repeat_with_a_seed(engine, prompts):
    first, again, other = (
        engine.generate(prompts[:1], Sampling(max_new_tokens=12, temperature=1.5, seed=seed))[0].ids
        for seed in (1, 1, 2)
    )
    assert first == again != other


def test_a_prompt_that_fills_the_context_is_refused_with_counts(engine):
    with pytest.raises(ModelError, match="256 tokens, the context of xllamacpp has 256"):
        engine.generate([[5] * 256], Sampling())


def test_it_cannot_score_and_says_which_engine_can(engine):
    with pytest.raises(ModelError, match="transformers"):
        engine.score([])


def test_a_file_that_is_no_gguf_is_refused_with_its_place(tmp_path, reference):
    (tmp_path / "bad.gguf").write_bytes(b"not a model" * 10)
    backend = ENGINES.find("xllamacpp")()
    with pytest.raises(ModelError) as caught:
        backend.open(tmp_path, reference.encoder, Capacity())
    assert "bad.gguf" in str(caught.value)
    with pytest.raises(ModelError, match="0 GGUF files"):
        backend.open(tmp_path.parent, reference.encoder, Capacity())
