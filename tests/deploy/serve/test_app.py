from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import openai
import pytest

from sevenfold.chat.conversation import Message
from sevenfold.generate.engine import Sampling
from tests.deploy.serve.conftest import MODEL

QUESTIONS = ["hi", "سلام دنیا", "the model reads", "🦊?", "write the answer", "data", "what is it", "yes or no"]


def ask(client, text, **options):
    return client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": text}], max_tokens=16, **options
    )


def test_the_answer_is_the_engines_answer_to_the_ids_that_training_saw(served, engine):
    reply = ask(served.client(), "سلام دنیا")
    prompt = engine.encoder.prompt([Message("user", "سلام دنیا")])
    expected = engine.generate([prompt], Sampling(max_new_tokens=16))[0]
    assert reply.choices[0].message.content == expected.text
    assert reply.choices[0].message.role == "assistant"
    assert reply.choices[0].finish_reason == expected.finish_reason
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (len(prompt), len(expected.ids))
    assert (reply.model, reply.object) == (MODEL, "chat.completion")


@pytest.mark.parametrize("text", QUESTIONS[:4])
def test_a_stream_joins_to_the_whole_answer(served, text):
    client = served.client()
    whole = ask(client, text)
    chunks = list(ask(client, text, stream=True, stream_options={"include_usage": True}))
    pieces = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(pieces) == whole.choices[0].message.content
    assert len([piece for piece in pieces if piece]) > 1
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-2].choices[0].finish_reason == whole.choices[0].finish_reason
    assert chunks[-1].usage == whole.usage
    assert len({chunk.id for chunk in chunks}) == 1


def test_completions_take_text_and_ids(served, engine):
    client = served.client()
    text = client.completions.create(model=MODEL, prompt="the data", max_tokens=8)
    ids = client.completions.create(model=MODEL, prompt=engine.encoder.encode("the data"), max_tokens=8)
    expected = engine.generate([engine.encoder.encode("the data")], Sampling(max_new_tokens=8))[0]
    assert text.choices[0].text == ids.choices[0].text == expected.text
    chunks = list(client.completions.create(model=MODEL, prompt="the data", max_tokens=8, stream=True))
    assert "".join(chunk.choices[0].text for chunk in chunks) == expected.text


def test_models_are_listed(served):
    client = served.client()
    assert [model.id for model in client.models.list()] == [MODEL]
    assert client.models.retrieve(MODEL).id == MODEL
    with pytest.raises(openai.NotFoundError, match="available: tiny-tuned"):
        client.models.retrieve("gpt-4")


def test_a_seed_repeats_a_draw_and_stop_texts_stop(served):
    client = served.client()
    draws = [ask(client, "hi", temperature=1.5, seed=seed).choices[0].message.content for seed in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]
    whole = ask(client, "hi").choices[0].message.content
    cut = ask(client, "hi", stop=[whole[3:5]])
    assert cut.choices[0].message.content == whole[: whole.index(whole[3:5])]
    assert cut.choices[0].finish_reason == "stop"


def test_both_names_of_the_limit_and_parts_of_text_are_understood(served):
    client = served.client()
    parts = [{"type": "text", "text": "h"}, {"type": "text", "text": "i"}]
    reply = client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": parts}], max_completion_tokens=4
    )
    assert reply.usage.completion_tokens <= 4
    assert (
        reply.choices[0].message.content
        == ask(client, "hi").choices[0].message.content[: len(reply.choices[0].message.content)]
    )


def test_answers_to_clients_that_call_together_are_not_mixed_up(served):
    client = served.client()
    alone = [ask(client, text).choices[0].message.content for text in QUESTIONS]
    assert len(set(alone)) > 4
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda text: ask(client, text).choices[0].message.content, QUESTIONS * 2))
    assert together == alone * 2


def test_the_observer_is_told_each_exchange(served):
    client = served.client(project="garden")
    reply = ask(client, "hi", user="ada")
    told = served.last()
    assert (told.id, told.answer) == (reply.id, reply.choices[0].message.content)
    assert told.messages == [{"role": "user", "content": "hi"}]
    assert (told.model, told.user, told.project, told.status, told.error) == (MODEL, "ada", "garden", 200, None)
    assert 0 < told.first_token_seconds <= told.seconds
    assert told.completion_tokens == reply.usage.completion_tokens
    list(ask(client, "hi", stream=True))
    assert served.last(2).answer == told.answer


def test_health_and_metrics_count_what_happened(served):
    ask(served.client(), "hi")
    with pytest.raises(openai.NotFoundError):
        served.client().chat.completions.create(model="other", messages=[{"role": "user", "content": "hi"}])
    assert served.http.get("/health").json() == {"status": "ok", "model": MODEL, "engine": "transformers"}
    lines = served.http.get("/metrics").text.splitlines()
    assert 'sevenfold_requests_total{status="200"} 1.0' in lines
    assert 'sevenfold_requests_total{status="404"} 1.0' in lines
    assert "sevenfold_requests_inside 0.0" in lines
    tokens = served.exchanges[0].completion_tokens
    assert f'sevenfold_tokens_total{{kind="completion"}} {float(tokens)}' in lines
