"""Synthetic rows from the project's own server with the tiny model, whose words are chance."""

from __future__ import annotations

import json

import pytest
import torch

from sevenfold.deploy.section import Serving
from sevenfold.deploy.serve.server import background
from sevenfold.generate.engines.transformers import TransformersEngine

CAPITALS = {"France": "Paris", "Spain": "Madrid", "Italy": "Rome", "Japan": "Tokyo", "Egypt": "Cairo", "Peru": "Lima"}


@pytest.fixture
def rows(write_rows):
    return write_rows(
        [{"prompt": f"What is the capital of {land}?", "completion": city} for land, city in CAPITALS.items()]
    )


def made_by(model, run, rows, **fields):
    engine = TransformersEngine(model.network(torch.float32), model.encoder())
    with background(engine, "writer", Serving(context=2048), lambda _: None) as address:
        endpoint = {"address": f"{address}/v1", "model": "writer", **fields.pop("endpoint")}
        return run(source=rows, training=[{"synthesise": {"endpoint": endpoint, **fields}}])


def test_a_model_of_chance_gives_no_row_and_every_answer_is_counted(run, rows, tiny_model):
    """Its words are no row: three answers, three refused, and the tokens are those that the server counted."""
    found = made_by(tiny_model, run, rows, endpoint={"max_tokens": 8}, rounds=3, examples=1)
    figures = found.report["training"][0]["figures"]
    assert figures["refused"] == {"unreadable": 3}
    assert figures["requests"] == 3
    lines = (found.entry.folder / "requests-synthesise.jsonl").read_text(encoding="utf-8").splitlines()
    assert sum(json.loads(line)["tokens"] for line in lines) == figures["tokens"] > 3 * 8
    assert len(found.rows()) == len(CAPITALS)
