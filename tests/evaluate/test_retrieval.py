"""Where own texts are found: by hand, and in the whole stage on a tiny encoder that was tuned on pairs."""

from __future__ import annotations

import json

import pytest
import torch

from sevenfold.errors import ModelError
from sevenfold.evaluate.held_out import Question
from sevenfold.evaluate.metrics.mrr import Mrr
from sevenfold.evaluate.metrics.recall import Recall
from sevenfold.evaluate.retrieval import ranks
from sevenfold.evaluate.section import EvaluateSection
from sevenfold.evaluate.stage import evaluate
from sevenfold.generate.embeddings import EmbeddingEngine
from sevenfold.generate.engines.transformers import TransformersEngine
from sevenfold.record import Entry
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import tune
from tests.tune.objectives import labelled

VECTORS = {"q": [1.0, 0.0], "near": [0.9, 0.1], "twin": [0.9, 0.2], "far": [0.0, 1.0]}


def question(reference: str) -> Question:
    from sevenfold.chat.conversation import Message

    return Question(0, "made:1", (Message("user", "q"),), reference, [], None)


def test_ranks_by_hand(tiny_encoder) -> None:
    engine = EmbeddingEngine(
        lambda texts, query: torch.tensor([VECTORS[text] for text in texts]), tiny_encoder.encoder(), 512
    )
    # near and twin are equally near, so each is half behind the other; far is third.
    found = ranks(engine, [question("near"), question("twin"), question("far")], ["far", "near", "twin"])
    assert found == [1.5, 1.5, 3.0]
    assert [Mrr().value(rank) for rank in found] == pytest.approx([2 / 3, 2 / 3, 1 / 3])
    assert [Recall(k=2).value(rank) for rank in found] == [1.0, 1.0, 0.0]


def test_a_model_without_vectors_is_refused(tiny_model) -> None:
    engine = TransformersEngine(tiny_model.network(torch.float32), tiny_model.encoder())
    with pytest.raises(ModelError, match="gives no vectors"):
        ranks(engine, [question("near")], ["near"])


def same(number: int):
    """A sentence and the word that is in it."""
    word = ("model", "data", "answer", "good", "bad", "reads", "writes", "the")[number % 8]
    return labelled.row(number, f"say 1 {word} 2", f"{word} {word}")


def test_base_and_tuned_are_asked_for_vectors(tiny_encoder, environment, tmp_path) -> None:
    dataset = labelled.dataset(same, tmp_path / "1-prepare")
    section = TuneSection.model_validate(
        {"objective": "embed", "learning_rate": 3e-3, "batch": 8, "steps": 30, "method": "full"}
    )
    entries = [Entry(tmp_path / name) for name in ("4-tune", "5-evaluate")]
    for entry in entries:
        entry.folder.mkdir()
    tuned = tune(section, dataset, tiny_encoder, environment, entries[0])
    measured = EvaluateSection.model_validate({"metrics": [{"recall": {"k": 1}}, "mrr"], "rows": 8, "resamples": 1000})
    report = evaluate(measured, dataset, tiny_encoder, environment, tuned, entries[1])
    assert report.metrics["mrr"].tuned > report.metrics["mrr"].base
    lines = [json.loads(line) for line in (entries[1].folder / "rows.jsonl").read_text().splitlines()]
    mean = sum(line["tuned"]["values"]["mrr"] for line in lines) / len(lines)
    assert report.metrics["mrr"].tuned == pytest.approx(mean)
    assert report.forgetting is None
