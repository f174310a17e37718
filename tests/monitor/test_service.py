"""The real server in front of a tiny model writes into the store: what was asked and answered is what is kept."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from fastapi.testclient import TestClient

from sevenfold.deploy.section import Serving
from sevenfold.deploy.serve.app import create_app
from sevenfold.generate.engines.transformers import TransformersEngine
from sevenfold.monitor.metrics import measure
from sevenfold.monitor.store import TrafficStore
from sevenfold.monitor.window import newest


@pytest.fixture
def store(tmp_path):
    with TrafficStore(tmp_path / "traffic.sqlite") as store:
        yield store


@pytest.fixture
def client(tiny_model, store):
    engine = TransformersEngine(tiny_model.network(torch.float32), tiny_model.encoder())
    app = create_app(engine, "tiny", Serving(max_new_tokens=4), store.append)
    with TestClient(app) as client:
        yield client


def ask(client, text, **more):
    body = {"model": "tiny", "messages": [{"role": "user", "content": text}], **more}
    return client.post("/v1/chat/completions", json=body)


def test_requests_at_the_same_time_are_all_kept_whole(client, store):
    questions = [f"سلام می‌روم {n}" for n in range(8)]
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda text: ask(client, text, user="ali").json(), questions))
    kept = {item.messages[-1]["content"]: item for item in store.newest(9)}
    assert sorted(kept) == sorted(questions)
    for question, answer in zip(questions, answers, strict=True):
        item = kept[question]
        assert item.answer == answer["choices"][0]["message"]["content"]
        assert item.prompt_tokens == answer["usage"]["prompt_tokens"]
        assert (item.user, item.status) == ("ali", 200)
    metrics = measure(newest(store, 200, 1)[0])
    assert metrics.by_user == {"ali": 8}
    assert metrics.seconds["p50"] > 0


def test_a_refused_request_is_kept_with_its_status(client, store):
    assert client.post("/v1/chat/completions", content=b"{").status_code == 400
    (item,) = store.newest(9)
    assert item.status == 400
    assert item.error
    assert newest(store, 200, 1)[0].prompts == []
