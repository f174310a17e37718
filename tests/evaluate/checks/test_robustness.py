"""Robustness: planted losses are found and named, nothing is found where nothing is disturbed."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from sevenfold.chat.conversation import Message
from sevenfold.console import Console
from sevenfold.errors import DataError
from sevenfold.evaluate.checks.robustness import Robustness, disturbed, values_of
from sevenfold.evaluate.examined import Examined, Weighing
from sevenfold.evaluate.held_out import Question
from sevenfold.evaluate.metrics.accuracy import Accuracy
from sevenfold.evaluate.perturbations import PERTURBATIONS
from sevenfold.evaluate.section import EvaluateSection
from sevenfold.evaluate.stage import evaluate
from sevenfold.pipeline import Run
from sevenfold.prepare.dataset import Dataset
from sevenfold.recipe import Recipe
from sevenfold.record import Entry
from tests.deploy.conftest import make_tuned
from tests.evaluate.rows import TASK, dataset_of, lines
from tests.evaluate.test_groups import rows
from tests.rows import write_split


@pytest.fixture
def entry(tmp_path):
    (tmp_path / "5-evaluate").mkdir()
    return Entry(tmp_path / "5-evaluate")


def section(*ways, **more):
    check = {"robustness": {"perturbations": list(ways), "rows": 10}}
    return EvaluateSection(**{"checks": [check], "metrics": ["exact_match", "chrf", "loss"], "resamples": 1000, **more})


def test_both_models_are_asked_in_every_way_and_paired_with_themselves(tmp_path, tiny_model, environment, tuned, entry):
    dataset = dataset_of(tmp_path / "1-prepare", test=TASK)
    chosen = section("typos", "persian_digits", "zwnj", max_new_tokens=8, general_text="none")
    report = evaluate(chosen, dataset, tiny_model, environment, tuned, entry)
    found = report.checks["robustness"]
    # Every question has a word and a digit, none has a half space.
    assert set(found["groups"]) == {"typos", "persian_digits"}
    meanings = {line[0]: line[2:] for line in found["tables"][0]["lines"]}
    assert meanings == {"typos": ("kept", 10), "persian_digits": ("kept", 10), "zwnj": ("kept", 0)}
    items = lines(entry.folder / "checks" / "robustness.jsonl")
    assert len(items) == 20
    for item in items:
        one, values = item["tuned"], item["tuned"]["values"]
        assert one["asked"] != one["disturbed"]
        assert values["changed"] == float(one["answer"] != one["disturbed_answer"])
        assert values["exact_match"] == float(one["disturbed_answer"] == one["reference"])
        assert values["lost exact_match"] == float(one["answer"] == one["reference"]) - values["exact_match"]
    # What the check measures without noise is what the run measures.
    rows = {row["row"]: row for row in lines(entry.folder / "rows.jsonl")}
    for item in items:
        values = item["tuned"]["values"]
        clean = values["reference_loss"] - values["lost reference_loss"]
        assert clean == pytest.approx(rows[item["tuned"]["row"]]["tuned"]["values"]["loss"], rel=1e-4)
    costs = {(one["way"], one["model"], one["figure"]): one for one in found["more"]["costs"]}
    one = costs["typos", "tuned", "reference_loss"]
    assert one["noisy"] - one["clean"] == pytest.approx(one["lost"])
    assert one["interval"][0] <= one["lost"] <= one["interval"][1]
    assert found["charts"][0]["names"] == ["typos", "persian_digits"]
    json.dumps(found)


def examined(lost, ways=("typos",), count=20):
    """A model that is right everywhere but loses a share under each way."""
    made = Examined(values={"changed": [], "exact_match": [], "lost exact_match": []})
    for way, share in zip(ways, lost, strict=True):
        for row in range(count):
            wrong = float(row < share * count)
            made.items.append({"group": way, "row": row, "better": {"exact_match": "higher"}})
            made.values["changed"].append(wrong)
            made.values["exact_match"].append(1 - wrong)
            made.values["lost exact_match"].append(wrong)
    return made


def test_a_planted_loss_is_named_with_its_size_and_what_helps():
    ways = ("typos", "zwnj", "case")
    check = Robustness(perturbations=list(ways))
    found = check.findings(examined((0, 0, 0), ways), examined((0.2, 0.6, 0), ways), Weighing(1, 2000, 0.95))
    costs = {(one["way"], one["model"]): one for one in found.more["costs"]}
    assert (costs["zwnj", "tuned"]["lost"], costs["zwnj", "tuned"]["sure"]) == (pytest.approx(0.6), True)
    assert (costs["zwnj", "tuned"]["clean"], costs["zwnj", "tuned"]["noisy"]) == (1.0, pytest.approx(0.4))
    assert (costs["case", "tuned"]["lost"], costs["case", "tuned"]["sure"]) == (0.0, False)
    assert not costs["zwnj", "base"]["sure"]
    assert "zwnj make the tuned model worse; most so zwnj: exact_match 1 to 0.4, 60% of it" in found.said
    assert found.groups["zwnj"]["exact_match"].better == "no"
    assert any(one.startswith("zwnj: put questions into one form") for one in found.advice)
    assert found.charts[0].values == pytest.approx([0.2, 0.6, 0])


def test_nothing_lost_is_said_so():
    found = Robustness(perturbations=["typos"]).findings(examined((0,)), examined((0,)), Weighing(1, 1000, 0.95))
    assert "no disturbance is sure to make the tuned model worse" in found.said
    assert found.advice == []


def question(text, number=0):
    return Question(number, f"a:{number}", (Message("user", text),), "x", [], None)


def test_a_questions_noise_does_not_depend_on_the_others():
    way = PERTURBATIONS.find("typos")()
    some = [question(f"please read number {n} aloud", n) for n in range(6)]
    every = {one.key: one.asked[-1].content for one in disturbed(some, "typos", way, 1)}
    assert {one.key: one.asked[-1].content for one in disturbed(some[3:], "typos", way, 1)}.items() <= every.items()
    assert {one.asked[-1].content for one in disturbed(some, "typos", way, 2)} != set(every.values())


def test_where_nothing_can_be_changed_it_is_said_before_the_model_is_asked(
    tmp_path, tiny_model, environment, tuned, entry
):
    dataset = dataset_of(tmp_path / "1-prepare", test=TASK)
    with pytest.raises(DataError, match="no held-out question has anything") as caught:
        evaluate(section("zwnj", "arabic_letters"), dataset, tiny_model, environment, tuned, entry)
    assert "typos" in caught.value.alternatives


def test_labels_have_no_likelihood_and_values_that_are_none_do_not_count():
    made = examined((0.5,))
    made.values |= {"reference_loss": [math.nan] * 20, "lost reference_loss": [math.nan] * 20}
    for item in made.items:
        item["better"] = {"exact_match": "higher", "reference_loss": "lower"}
    found = Robustness(perturbations=["typos"]).findings(made, made, Weighing(1, 1000, 0.95))
    assert "reference_loss" not in found.comparisons
    assert {one["figure"] for one in found.more["costs"]} == {"exact_match"}


def test_each_row_is_asked_of_its_own_tasks_adapter(tmp_path, tiny_model, environment, entry):
    """The clean half of the check is what the run itself measured, row by row, with two adapters."""
    adapters = make_tuned(tiny_model, tmp_path / "4-tune", "several", tasks=["chat", "translate"], rank=4)
    (tmp_path / "1-prepare").mkdir()
    dataset = Dataset(counts={"test": 14}).save(tmp_path / "1-prepare")
    write_split(dataset, "test", rows())
    chosen = section("typos", max_new_tokens=6, general_text="none")
    report = evaluate(chosen, dataset, tiny_model, environment, adapters, entry)
    assert report.checks["robustness"]["comparisons"]["changed"]["rows"] == 10
    measured = {row["row"]: row["tuned"] for row in lines(entry.folder / "rows.jsonl")}
    for item in lines(entry.folder / "checks" / "robustness.jsonl"):
        own = measured[item["tuned"]["row"]]
        assert item["tuned"]["answer"] == own["text"]
        values = item["tuned"]["values"]
        assert values["reference_loss"] - values["lost reference_loss"] == pytest.approx(
            own["values"]["loss"], rel=1e-4
        )


@pytest.mark.slow
def test_a_model_that_answers_with_labels_is_asked_too(tmp_path, tiny_weights):
    """No likelihood of a text, but its labels under each disturbance."""
    told = [{"text": f"please read number {n} aloud", "label": ["even", "odd"][n % 2]} for n in range(40)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in told))
    recipe = Recipe.build(
        {
            "name": "labels",
            "prepare": {"source": str(tmp_path / "rows.jsonl"), "format": {"labelled": {"ask": "Even or odd?"}}},
            "load": {"model": str(tiny_weights)},
            "setup": {"threads": 1},
            "tune": {"objective": "classify", "steps": 4},
            "evaluate": {"checks": [{"robustness": ["typos", "case"]}], "max_new_tokens": 4, "general_text": "none"},
        }
    )
    run = Run(recipe, tmp_path / "runs", Console(quiet=True), proved=False)
    run.up_to("evaluate", report=False)
    found = run.results["evaluate"].checks["robustness"]
    assert {"changed", "accuracy", "lost accuracy"} <= set(found["comparisons"])
    items = lines(run.folder / "5-evaluate" / "checks" / "robustness.jsonl")
    assert {item["tuned"]["disturbed_answer"] for item in items} <= {"even", "odd"}
    measured = {row["row"]: row for row in lines(run.folder / "5-evaluate" / "rows.jsonl")}
    for item in items:
        for side in ("base", "tuned"):
            values = item[side]["values"]
            clean = values["accuracy"] + values["lost accuracy"]
            assert clean == measured[item[side]["row"]][side]["values"]["accuracy"]


def test_an_answer_that_names_another_label_first_is_wrong():
    """Which labels there are is read from all held-out rows, not from the row's own."""
    asked = [replace(question("which?", n), reference=label) for n, label in enumerate(["odd", "even"])]
    said = ["even, or odd", "even"]
    assert values_of(Accuracy(), asked, said, ["even", "odd"]) == [0.0, 1.0]
    assert values_of(Accuracy(), asked[:1], said[:1], ["even", "odd"]) == [0.0]
