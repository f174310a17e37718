"""Pairs are judged by both models on the same held-out rows."""

from __future__ import annotations

import json

import pytest
import torch

from sevenfold.chat.conversation import Message
from sevenfold.errors import DataError
from sevenfold.evaluate.metrics import Likelihood
from sevenfold.evaluate.metrics.pair_accuracy import PairAccuracy
from sevenfold.evaluate.section import EvaluateSection
from sevenfold.evaluate.stage import evaluate
from sevenfold.record import Entry
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import tune
from tests import rows
from tests.tune.objectives import judged


def test_the_likelier_answer_wins() -> None:
    metric = PairAccuracy()
    assert metric.value(Likelihood(2.0, 4), Likelihood(3.0, 9)) == 1
    assert metric.value(Likelihood(3.0, 4), Likelihood(2.0, 9)) == 0
    assert metric.value(Likelihood(2.0, 4), Likelihood(2.0, 9)) == 0.5
    assert PairAccuracy(per_token=True).value(Likelihood(2.0, 4), Likelihood(3.0, 9)) == 0


def evaluated(objective, tiny_model, environment, folder, dataset):
    # One epoch would hardly move a network of random weights.
    section = TuneSection.model_validate(
        {"objective": objective, "steps": 40, "batch": 10, "learning_rate": 1e-2, "keep": "last"}
    )
    entries = {name: Entry(folder / name) for name in ("4-tune", "5-evaluate")}
    for entry in entries.values():
        entry.folder.mkdir()
    tuned = tune(section, dataset, tiny_model, environment, entries["4-tune"])
    asked = EvaluateSection.model_validate({"metrics": ["pair_accuracy"], "resamples": 1000})
    report = evaluate(asked, dataset, tiny_model, environment, tuned, entries["5-evaluate"])
    lines = (folder / "5-evaluate" / "rows.jsonl").read_text(encoding="utf-8").splitlines()
    return report, tuned, [json.loads(line) for line in lines]


@pytest.mark.parametrize("objective", ["dpo", "reward"])
def test_base_and_tuned_are_compared_pair_by_pair(objective, tiny_model, environment, tmp_path) -> None:
    dataset = judged.pairs(tmp_path / "1-prepare")
    report, tuned, found = evaluated(objective, tiny_model, environment, tmp_path, dataset)
    compared = report.metrics["pair_accuracy"]
    assert compared.rows == 6
    assert compared.base == pytest.approx(sum(row["base"]["values"]["pair_accuracy"] for row in found) / 6)
    assert compared.tuned > compared.base
    network, encoder = tuned.network(tiny_model, torch.float32), tiny_model.encoder()
    head = tuned.own(network, tiny_model)
    for row, line in zip(dataset.rows("test"), found, strict=True):
        chosen, rejected = (judge(row, answer, network, head, encoder) for answer in (None, row.fields["rejected"]))
        assert line["tuned"]["values"]["pair_accuracy"] == float(chosen > rejected)


def judge(row, answer, network, head, encoder) -> float:
    """What a model gives an answer, by the plain call."""
    *prompt, last = row.conversation.messages
    messages = (*prompt, Message("assistant", answer or last.content))
    before = encoder.prompt(prompt)
    ids = torch.tensor([[*before, *encoder.reply(messages, len(prompt))]])
    with torch.no_grad():
        if head is not None:
            return float(head(network.model(ids).last_hidden_state[0, -1]))
        said = network(ids).logits[0].log_softmax(-1)
    return float(sum(said[place - 1, ids[0, place]] for place in range(len(before), ids.shape[1])))


def test_rows_without_a_rejected_answer_are_named(tiny_model, environment, tmp_path) -> None:
    dataset = rows.make_dataset(tmp_path / "1-prepare")
    with pytest.raises(DataError, match="no column 'rejected'"):
        evaluated("sft", tiny_model, environment, tmp_path, dataset)
