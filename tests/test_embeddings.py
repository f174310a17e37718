"""A recipe for embeddings through all stages on a tiny encoder, and what opens what it leaves."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
import torch
from fastapi.testclient import TestClient

from sevenfold.deploy.section import Serving
from sevenfold.deploy.serve.app import create_app
from sevenfold.deploy.service import Service
from tests import whole
from tests.evaluate.test_retrieval import same


@pytest.fixture(scope="module")
def run(tiny_encoder_weights, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("embeddings")
    rows = [
        {"anchor": row.conversation.messages[0].content, "positive": row.conversation.reference(), "negative": "0 0"}
        for row in map(same, range(40))
    ]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    objective = {"embed": {"query_prefix": "say ", "text_prefix": "the "}}
    recipe = whole.write_recipe(
        folder,
        tiny_encoder_weights,
        prepare={"clean": []},
        tune={"objective": objective, "batch": 8, "steps": 8, "learning_rate": 3e-3},
        evaluate={"rows": 6},
        deploy={"export": ["adapter", "merged", "sentence_transformers", "gguf"]},
    )
    with contextlib.chdir(folder):
        called = whole.sevenfold("run", recipe.name)
    assert called.code == 0, called.err
    return folder / "runs" / "small"


def test_every_stage_ran_and_every_proof_holds(run) -> None:
    stages = whole.record(run)
    assert {proof["name"] for stage in stages.values() for proof in stage["proofs"]} >= {"packing", "merge", "export"}
    assert all(proof["passed"] for stage in stages.values() for proof in stage["proofs"])
    report = json.loads((run / "5-evaluate" / "result.json").read_text())
    assert set(report["metrics"]) == {"recall", "mrr"}
    service = Service.open(run / "6-deploy")
    assert "GGUF" in service.skipped["gguf"]
    assert service.smoke[0].answer.startswith("product of the two vectors of 64 figures")


@pytest.fixture(scope="module")
def client(run):
    service = Service.open(run / "6-deploy")
    seen: list = []
    with service.open_engine(1) as engine, TestClient(create_app(engine, "small", Serving(), seen.append)) as client:
        client.seen = seen
        yield client


def ask(client, **fields):
    return client.post("/v1/embeddings", json={"model": "small", **fields})


def test_the_service_answers_in_openai_s_form(client) -> None:
    reply = ask(client, input=["say data", "the model"]).json()
    assert [one["index"] for one in reply["data"]] == [0, 1]
    vector = torch.tensor(reply["data"][0]["embedding"])
    assert vector.norm() == pytest.approx(1.0, rel=1e-5)
    assert reply["usage"]["prompt_tokens"] > 4
    assert client.seen[-1].answer == "2 vectors of 64 figures"
    short = torch.tensor(ask(client, input="say data", dimensions=8).json()["data"][0]["embedding"])
    torch.testing.assert_close(short, vector[:8] / vector[:8].norm())
    packed = ask(client, input="say data", encoding_format="base64").json()["data"][0]["embedding"]
    import base64

    torch.testing.assert_close(torch.frombuffer(bytearray(base64.b64decode(packed)), dtype=torch.float32), vector)
    asked = ask(client, input="say data", input_type="query").json()["data"][0]["embedding"]
    assert asked != reply["data"][0]["embedding"]


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"input": []}, 400, "input"),
        ({"input": "data", "dimensions": 65}, 400, "64 figures"),
        ({"input": "data " * 600}, 400, "tokens, the context of the model has 128"),
        ({"input": "data", "model": "large"}, 404, "no model 'large'"),
    ],
)
def test_what_it_cannot_do_is_refused(client, fields, status, said) -> None:
    reply = ask(client, **fields)
    assert reply.status_code == status
    assert said in reply.json()["error"]["message"]
    assert client.seen[-1].status == status


def test_it_answers_no_conversation(client) -> None:
    reply = client.post("/v1/chat/completions", json={"model": "small", "messages": [{"role": "user", "content": "a"}]})
    assert reply.status_code == 400
    assert "/v1/embeddings" in reply.json()["error"]["message"]


def test_sentence_transformers_gives_the_same_vectors(run, client) -> None:
    package = pytest.importorskip("sentence_transformers")
    model = package.SentenceTransformer(str(run / "6-deploy" / "sentence_transformers"), device="cpu")
    for kind, encode in (("query", model.encode_query), ("document", model.encode_document)):
        ours = torch.tensor(ask(client, input="the model reads", input_type=kind).json()["data"][0]["embedding"])
        torch.testing.assert_close(torch.tensor(encode("the model reads")), ours, rtol=1e-4, atol=1e-5)
