"""Labels from the rows to the service: tuned, measured beside the base, exported, served and watched."""

import json

import httpx
import pytest
import torch

from sevenfold.deploy.section import DeploySection, Serving
from sevenfold.deploy.serve.server import background
from sevenfold.deploy.stage import deploy
from sevenfold.evaluate.section import EvaluateSection
from sevenfold.evaluate.stage import evaluate
from sevenfold.generate.engine import Sampling
from sevenfold.prove import proofs
from sevenfold.prove.proof import Case
from sevenfold.record import Entry
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import tune
from tests.evaluate.rows import rows_of
from tests.tune.objectives import made

NAMES = ("classify", "regress", "tag", "span")


@pytest.fixture(params=NAMES)
def name(request) -> str:
    return request.param


@pytest.fixture
def case(name, tiny_model, environment, tmp_path) -> Case:
    section = TuneSection.model_validate(made.section(name, steps=60))
    case = Case(section, made.dataset(name, tmp_path / "1-prepare"), tiny_model, environment, tmp_path)
    case.tuned = tune(section, case.dataset, tiny_model, environment, stage(tmp_path, "4-tune"))
    return case


def stage(folder, name) -> Entry:
    entry = Entry(folder / name)
    entry.folder.mkdir()
    return entry


def test_labels_go_all_the_way(name, case, tmp_path) -> None:
    objective = case.tuned.chosen_objective()
    section = EvaluateSection(metrics=list(objective.measures), rows=8, max_new_tokens=8, resamples=1000)
    report = evaluate(section, case.dataset, case.model, case.environment, case.tuned, stage(tmp_path, "5-evaluate"))
    rows = rows_of(report)
    assert report.forgetting is None
    assert set(rows[0]["tuned"]["values"]) == set(report.metrics)
    if name == "classify":
        assert sum(rows[0]["tuned"]["labels"].values()) == pytest.approx(1, abs=1e-5)
        assert set(report.labels) == {"base", "tuned"}
        assert report.labels["tuned"].calibration_error is not None
        assert report.labels["base"].calibration_error is None

    deploying = DeploySection(ask=2)
    case.service = deploy(
        deploying, case.dataset, case.model, case.environment, case.tuned, stage(tmp_path, "6-deploy")
    )
    assert "its own head" in case.service.skipped["gguf"]
    assert (case.service.export("adapter") / "objective.safetensors").exists()
    # The service says what evaluation said of the same rows.
    said = {row["origin"]: row["tuned"]["text"] for row in rows}
    for asked in case.service.smoke:
        assert asked.answer == said[asked.origin]
    proof = proofs.run("export", case)
    assert proof.passed, proofs.line(proof)
    assert "labels of merged" in proof.what
    with case.service.open_engine(1) as engine, background(engine, "m", Serving(), lambda _: None) as address:
        question = case.dataset.head("test", 1)[0].conversation.prompt()
        body = {"model": "m", "messages": [message.as_dict() for message in question]}
        found = httpx.post(f"{address}/v1/classify", json=body, trust_env=False).json()
        assert found["data"][0]["label"] == said[case.dataset.head("test", 1)[0].origin]
        assert set(found["data"][0]["probabilities"]) == (
            set(objective.labels) if name == "classify" else set(found["data"][0]["probabilities"])
        )


def test_several_heads_go_all_the_way_but_are_no_class_of_transformers(tiny_model, environment, tmp_path) -> None:
    fields = {"ensemble": "bagging", "heads": 3, "smote": 0.5}
    section = TuneSection.model_validate(made.section("classify", steps=20, objective={"classify": fields}))
    dataset = made.dataset("classify", tmp_path / "1-prepare")
    tuned = tune(section, dataset, tiny_model, environment, stage(tmp_path, "4-tune"))
    metrics = ["kappa", "mcc", "balanced_accuracy", "pr_auc"]
    asked = EvaluateSection(metrics=metrics, rows=8, max_new_tokens=8, resamples=1000)
    report = evaluate(asked, dataset, tiny_model, environment, tuned, stage(tmp_path, "5-evaluate"))
    assert set(report.metrics) == set(metrics)
    rows = rows_of(report)
    for row in rows:
        own = row["tuned"]["labels"][row["reference"]]
        assert row["tuned"]["values"]["pr_auc"] == pytest.approx(own)
    service = deploy(DeploySection(ask=2), dataset, tiny_model, environment, tuned, stage(tmp_path, "6-deploy"))
    assert "this one has several" in service.skipped["merged"]
    said = {row["origin"]: row["tuned"]["text"] for row in rows}
    assert [one.answer for one in service.smoke] == [said[one.origin] for one in service.smoke]


def test_a_model_that_writes_has_no_labels(tiny_model, environment) -> None:
    from sevenfold.generate.engines.transformers import TransformersEngine

    engine = TransformersEngine(tiny_model.network(torch.float32), tiny_model.encoder())
    with background(engine, "m", Serving(), lambda _: None) as address:
        error = httpx.post(f"{address}/v1/classify", json={"model": "m", "input": "x"}, trust_env=False).json()
    assert "writes its answers" in json.dumps(error)


def test_an_engine_of_labels_answers_alone_as_in_a_batch(tiny_model, environment, tmp_path) -> None:
    section = TuneSection.model_validate(made.section("classify"))
    dataset = made.dataset("classify", tmp_path / "1-prepare")
    tuned = tune(section, dataset, tiny_model, environment, stage(tmp_path, "4-tune"))
    engine = tuned.engine(tuned.network(tiny_model, torch.float32), tiny_model, tiny_model.encoder(), batch=3)
    prompts = [tiny_model.encoder().prompt(row.conversation.prompt()) for row in dataset.head("test", 7)]
    together = engine.generate(prompts, Sampling())
    for prompt, answer in zip(prompts, together, strict=True):
        (alone,) = engine.generate([prompt], Sampling())
        assert alone.text == answer.text
        assert alone.labels == pytest.approx(answer.labels, abs=1e-5)
        assert next(iter(engine.stream(prompt, Sampling()))) == answer.text
