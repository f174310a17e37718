"""Rows of several tasks: each is asked of its own task's adapter and compared with its like."""

import json

import pytest
import torch

from sevenfold.chat.conversation import Conversation
from sevenfold.errors import DataError
from sevenfold.evaluate.groups import by_group
from sevenfold.evaluate.section import EvaluateSection
from sevenfold.evaluate.stage import evaluate
from sevenfold.generate.engine import Sampling
from sevenfold.generate.engines.transformers import TransformersEngine
from sevenfold.prepare.dataset import Dataset, Row
from sevenfold.record import Entry
from tests.deploy.conftest import make_tuned
from tests.evaluate.rows import rows_of, talk
from tests.rows import write_split

TASKS = ["chat", "translate"]


def rows(count=14):
    """Rows of two tasks in turn."""
    return [
        Row(
            Conversation.of([{"role": role, "content": text} for role, text in talk(f"the data {i}", f"answer {i}")]),
            f"rows.jsonl:{i}",
            {"task": TASKS[i % 2], "kind": "abc"[i % 3]},
        )
        for i in range(count)
    ]


@pytest.fixture
def dataset(tmp_path):
    (tmp_path / "1-prepare").mkdir()
    made = Dataset(counts={"test": 14}).save(tmp_path / "1-prepare")
    write_split(made, "test", rows())
    return made


@pytest.fixture(scope="module")
def tuned(tiny_model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tune") / "4-tune"
    return make_tuned(tiny_model, folder, "several", tasks=TASKS, rank=4, answers="translate")


@pytest.fixture
def entry(tmp_path):
    (tmp_path / "5-evaluate").mkdir()
    return Entry(tmp_path / "5-evaluate")


def small(**more):
    return EvaluateSection(**{"max_new_tokens": 6, "resamples": 1000, "batch": 3, "general_text": "none", **more})


def test_each_row_is_asked_of_its_own_tasks_adapter(dataset, tiny_model, environment, tuned, entry, monkeypatch):
    built = []
    network_of = type(tiny_model).network
    monkeypatch.setattr(
        type(tiny_model), "network", lambda model, *a, **k: built.append(a) or network_of(model, *a, **k)
    )
    report = evaluate(small(), dataset, tiny_model, environment, tuned, entry)
    assert len(built) == 2  # the base and the tuned network, each once
    found = {row["origin"]: row for row in rows_of(report)}
    encoder, method = tiny_model.encoder(), tuned.chosen_method()
    alone, differs = tuned.network(tiny_model, torch.float32), 0
    engine = TransformersEngine(alone, encoder)
    for row in rows():
        answers = {}
        for task in TASKS:
            method.select(alone, task)
            prompt = encoder.prompt(row.conversation.prompt())
            (answer,) = engine.generate([prompt], Sampling(max_new_tokens=6))
            (score,) = engine.score(encoder.sequences(row.conversation))
            answers[task] = (answer.text, score.nll / score.tokens)
        own = found[row.origin]
        assert own["task"] == own["group"] == row.fields["task"]
        assert own["tuned"]["text"] == answers[row.fields["task"]][0]
        assert own["tuned"]["values"]["loss"] == pytest.approx(answers[row.fields["task"]][1], rel=1e-4)
        differs += abs(answers["chat"][1] - answers["translate"][1]) > 1e-2
    assert differs > 10


def test_every_metric_is_compared_by_task(dataset, tiny_model, environment, tuned, entry):
    report = evaluate(small(metrics=["loss", "chrf"]), dataset, tiny_model, environment, tuned, entry)
    assert (report.grouped_by, list(report.groups)) == ("task", TASKS)
    lines = rows_of(report)
    for task, metrics in report.groups.items():
        assert list(metrics) == ["loss", "chrf"]
        own = [row for row in lines if row["task"] == task]
        for side in ("base", "tuned"):
            mean = sum(row[side]["values"]["chrf"] for row in own) / len(own)
            assert getattr(metrics["chrf"], side) == pytest.approx(mean)
        assert metrics["chrf"].rows == 7
        assert metrics["chrf"].interval[0] <= metrics["chrf"].difference <= metrics["chrf"].interval[1]
    kept = json.loads((entry.folder / "result.json").read_text())
    assert kept["groups"]["chat"]["loss"]["rows"] == 7
    assert entry.record.metrics["groups"]["chat"]["loss"]["base"] == report.groups["chat"]["loss"].base
    assert any(note.startswith("task translate: ") for note in entry.record.notes)


def test_the_forgetting_check_is_the_answering_adapters(dataset, tiny_model, environment, tuned, entry):
    evaluate(small(metrics=["loss"], general_text="own"), dataset, tiny_model, environment, tuned, entry)
    assert "general text is read by the adapter of the task 'translate'" in entry.record.notes


def test_a_killed_run_goes_on_with_each_tasks_rows(dataset, tiny_model, environment, tuned, entry):
    whole = evaluate(small(), dataset, tiny_model, environment, tuned, entry)
    lines = (entry.folder / "tuned.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (entry.folder / "tuned.jsonl").write_text("".join(lines[:-9]), encoding="utf-8")
    assert evaluate(small(), dataset, tiny_model, environment, tuned, entry) == whole


def test_a_row_of_an_unknown_task_stops(tmp_path, dataset, tiny_model, environment, tuned, entry):
    write_split(dataset, "test", [Row(row.conversation, row.origin, {"task": "sum"}) for row in rows()])
    with pytest.raises(DataError, match="'sum', which has no adapter") as caught:
        evaluate(small(), dataset, tiny_model, environment, tuned, entry)
    assert "rows.jsonl:" in str(caught.value)


def test_a_column_groups_the_rows_of_any_method(dataset, tiny_model, environment, entry, tmp_path):
    lora = make_tuned(tiny_model, tmp_path / "4-tune", "lora", rank=4)
    report = evaluate(small(metrics=["loss"], by="kind"), dataset, tiny_model, environment, lora, entry)
    assert report.grouped_by == "kind"
    assert {group: metrics["loss"].rows for group, metrics in report.groups.items()} == {"a": 5, "b": 5, "c": 4}
    assert "task" not in rows_of(report)[0]


def test_a_column_that_is_not_there_is_named(dataset, tiny_model, environment, tuned, entry):
    with pytest.raises(DataError, match="no column 'knd' to group by") as caught:
        evaluate(small(by="knd"), dataset, tiny_model, environment, tuned, entry)
    assert caught.value.suggestion == "kind"


def test_without_groups_there_is_nothing_to_compare_apart():
    assert by_group([], {}, 17, 1000, 0.95) == {}


def test_the_gap_between_groups_is_in_the_report(tmp_path, tiny_model, environment, entry):
    lora = make_tuned(tiny_model, tmp_path / "4-tune", "lora", rank=4)
    (tmp_path / "1-prepare").mkdir()
    made = Dataset(counts={"test": 40}).save(tmp_path / "1-prepare")
    write_split(made, "test", rows(40))
    report = evaluate(small(metrics=["loss"], by="kind"), made, tiny_model, environment, lora, entry)
    gap = report.gaps["loss"]
    assert gap.rows == {"a": 14, "b": 13, "c": 13}
    figures = {group: metrics["loss"].tuned for group, metrics in report.groups.items()}
    assert gap.tuned.figures == pytest.approx(figures)
    assert gap.tuned.worst == max(figures, key=figures.get)
    assert any(note.startswith("between groups of kind: loss: ") for note in entry.record.notes)
    assert json.loads((entry.folder / "result.json").read_text())["gaps"]["loss"]["tuned"]["gap"] == gap.tuned.gap
