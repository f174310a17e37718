"""A tuned tiny model whose tokenizer llama.cpp's converter takes."""

from __future__ import annotations

import pyarrow
import pytest
import torch

from sevenfold.chat.conversation import Conversation
from sevenfold.deploy.material import Material
from sevenfold.load.model import Card, Model
from sevenfold.prepare.dataset import Dataset, Row, arrow_schema, stored
from sevenfold.tune.methods import METHODS
from sevenfold.tune.tuned import Tuned
from tests.generate import llama_style


def make_tuned(model: Model, folder, name: str, **fields) -> Tuned:
    """What a tuning run would leave, with weights moved at random."""
    method = METHODS.find(name)(**fields)
    torch.manual_seed(1)
    network = model.network(torch.float32)
    method.attach(network)
    with torch.no_grad():
        for weight in method.trainable(network).values():
            weight.add_(torch.randn_like(weight) * 0.05)
    (folder / "weights").mkdir(parents=True)
    method.save(network, folder / "weights", model.card.name)
    return Tuned(
        method={name: fields},
        adapter=method.adapter,
        steps=10,
        best_step=8,
        trainable_parameters=100,
        tokens=1000,
        tokens_per_second=1.0,
        peak_memory_bytes=1,
        losses=[1.0],
        validation_losses={0: 1.0},
    ).save(folder)


@pytest.fixture(scope="package")
def model(tmp_path_factory):
    weights = llama_style.make(tmp_path_factory.mktemp("weights"))
    folder = tmp_path_factory.mktemp("2-load")
    llama_style.make_tokenizer(folder / "tokenizer")
    card = Card(name="tiny", licence="apache-2.0", context=512, vocabulary=400, source="catalogue: tiny")
    return Model(card=card, weights=weights, stop_ids=[2]).save(folder)


@pytest.fixture(scope="package")
def tuned(model, tmp_path_factory):
    return make_tuned(model, tmp_path_factory.mktemp("tune") / "4-tune", "lora", rank=4)


@pytest.fixture(scope="package")
def whole(model, tmp_path_factory):
    return make_tuned(model, tmp_path_factory.mktemp("tune") / "4-tune", "full")


@pytest.fixture
def material(model, tuned):
    return Material(model, tuned, {}, 1)


@pytest.fixture(scope="package")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("1-prepare")
    questions = ["what is the data", "سلام", "write the answer"]
    rows = [
        Row(
            Conversation.of([{"role": "user", "content": text}, {"role": "assistant", "content": f"about {text}"}]),
            f"rows.csv:{line}",
        )
        for line, text in enumerate(questions, start=2)
    ]
    kept = Dataset(counts={"test": len(rows)})
    batch = pyarrow.RecordBatch.from_pylist([stored(row) for row in rows], arrow_schema())
    with pyarrow.OSFile(str(folder / "test.arrow"), "wb") as file, pyarrow.ipc.new_file(file, arrow_schema()) as writer:
        writer.write(batch)
    return kept.save(folder)
