"""The command ``merge-adapters`` on runs and on folders."""

from __future__ import annotations

import json
import re
import shutil

import pytest
import yaml

from tests.tune.several import made
from tests.whole import record, sevenfold, write_recipe

TASKS = ("chat", "translate")


@pytest.fixture(scope="module")
def two_tasks(tiny_weights, tmp_path_factory):
    """A folder with a run of the method ``several`` over rows of two tasks, without tags in their prompts."""
    import contextlib

    folder = tmp_path_factory.mktemp("tasks")
    rows = [
        {"prompt": f"say {number}: the data", "completion": "the model reads " * (1 + number % 2), "task": task}
        for number in range(20)
        for task in TASKS
    ]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    method = {"several": {"tasks": list(TASKS), "rank": 4}}
    path = write_recipe(folder, tiny_weights, prepare={"clean": []}, tune={"method": method})
    recipe = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump(recipe))
    with contextlib.chdir(folder):
        called = sevenfold("tune", "small.yaml")
    assert called.code == 0, called.err
    return folder


@pytest.fixture
def inside(two_tasks, monkeypatch):
    monkeypatch.chdir(two_tasks)
    return two_tasks


def tasks(folder):
    return [folder / "runs" / "small" / "4-tune" / "weights" / task for task in TASKS]


def test_adapters_of_a_run_are_merged_and_asked_their_own_prompts(inside, tmp_path) -> None:
    called = sevenfold("merge-adapters", *tasks(inside), "--out", tmp_path / "out", "--ask", 3, "--json")
    assert called.code == 0, called.err
    found = called.json
    assert (found["layers"], found["rank"]) == (14, 4)
    assert 0 < found["energy"] <= 1
    assert [asked["prompts_of"] for asked in found["behaviour"]] == ["small/chat", "small/translate"]
    assert set(found["behaviour"][0]["rows"][0]["answers"]) == {"small/chat", "small/translate", "merged"}
    assert any("same form of prompts" in warning for warning in found["warnings"])
    assert json.loads((tmp_path / "out" / "behaviour.json").read_text()) == found["behaviour"]


def test_what_a_person_sees(inside, tmp_path) -> None:
    called = sevenfold(
        "merge-adapters", *tasks(inside), "--out", tmp_path / "out", "--how", "{svd: {rank: 2}}", "--ask", 2
    )
    assert called.code == 0, called.err
    assert "14 layers, rank 2" in called.err
    assert "of the change's energy is kept; least in model.layers." in called.err
    assert "prompts of small/chat" in called.err


def test_adapters_near_a_domain_are_averaged(inside, tmp_path) -> None:
    texts = tmp_path / "texts.txt"
    texts.write_text("say 3: the data\nthe model reads\n")
    words = ["merge-adapters", *tasks(inside), "--out", tmp_path / "out", "--for", texts, "--ask", 0, "--json"]
    called = sevenfold(*words)
    assert called.code == 0, called.err
    assert set(called.json["similarity"]) == {"small/chat", "small/translate"}
    record = json.loads((tmp_path / "out" / "sevenfold.json").read_text())
    assert record["how"] == {"average": {}}
    assert [parent["weight"] for parent in record["parents"]] == [0.5, 0.5]


def test_a_run_is_its_adapter(inside, tmp_path) -> None:
    called = sevenfold("merge-adapters", "small", tasks(inside)[1], "--out", tmp_path / "out", "--ask", 0, "--json")
    assert called.code == 0, called.err
    record = json.loads((tmp_path / "out" / "sevenfold.json").read_text())
    assert [parent["task"] for parent in record["parents"]] == ["chat", "translate"]


def test_folders_need_a_base_and_prompts_to_be_asked(tiny_model, tiny_weights, tmp_path) -> None:
    folders = [made.adapter(tiny_model, tmp_path / name, seed) for name, seed in (("a", 1), ("b", 2))]
    called = sevenfold("merge-adapters", *folders, "--out", tmp_path / "silent", "--json")
    assert any("behaviour was not compared" in warning for warning in called.json["warnings"])
    (tmp_path / "prompts.txt").write_text("hello\nwhat is it\n")
    words = ["--prompts", tmp_path / "prompts.txt", "--base", tiny_weights, "--how", "concatenate", "--json"]
    called = sevenfold("merge-adapters", *folders, "--out", tmp_path / "out", *words)
    assert called.code == 0, called.err
    assert called.json["rank"] == 8
    assert [len(asked["rows"]) for asked in called.json["behaviour"]] == [2, 2]


def test_tasks_stand_apart_in_the_terminal_the_page_and_the_service(two_tasks, tmp_path, monkeypatch) -> None:
    shutil.copytree(two_tasks, tmp_path / "own")
    monkeypatch.chdir(tmp_path / "own")
    called = sevenfold("deploy", "small.yaml", "--set", "evaluate.rows=6")
    assert called.code == 0, called.err
    for task in TASKS:
        assert re.search(rf"task {task}: \d rows", called.err)
        assert f"small/{task}" in called.err
    (proof,) = (
        one for one in record(tmp_path / "own" / "runs" / "small")["deploy"]["proofs"] if one["name"] == "export"
    )
    assert proof["passed"]
    assert "adapter (float32)" in proof["what"]
    assert "adapter/translate (float32)" in proof["what"]
    page = (tmp_path / "own" / "runs" / "small" / "report.html").read_text()
    assert "The same over the rows of each task alone." in page
    assert "Validation loss of each task alone" in page
    assert "adapters to choose" in page
    shown = sevenfold("show", "small", "--json").json["stages"]["evaluate"]["metrics"]
    assert set(shown["groups"]) == set(TASKS)


def test_an_exported_adapter_that_is_another_tasks_is_caught(two_tasks, tmp_path, monkeypatch) -> None:
    shutil.copytree(two_tasks, tmp_path / "own")
    monkeypatch.chdir(tmp_path / "own")
    assert sevenfold("deploy", "small.yaml").code == 0
    folder = tmp_path / "own" / "runs" / "small" / "6-deploy" / "adapter"
    shutil.copyfile(folder / "chat" / "adapter_model.safetensors", folder / "translate" / "adapter_model.safetensors")
    called = sevenfold("prove", "small", "--json")
    assert called.code == 3
    assert [proof["name"] for proof in called.json["proofs"] if not proof["passed"]] == ["export"]


def test_what_is_merged_is_a_run_as_any_other(inside, tiny_weights, tmp_path) -> None:
    """Evaluated by task, served, watched and proved, and `sevenfold` says how."""
    called = sevenfold("merge-adapters", *tasks(inside), "--out", tmp_path / "both", "--ask", 0)
    assert f"tune.method: {{given: {{folder: {tmp_path / 'both'}}}}}" in called.err
    recipe = yaml.safe_load((inside / "small.yaml").read_text())
    recipe |= {"name": "both", "tune": {"method": {"given": {"folder": str(tmp_path / "both")}}}}
    recipe["evaluate"]["by"] = "task"
    (tmp_path / "both.yaml").write_text(yaml.safe_dump(recipe))
    called = sevenfold("run", tmp_path / "both.yaml", "--runs", tmp_path, "--json")
    assert called.code == 0, called.err
    stages = called.json["stages"]
    assert stages["tune"]["steps"] == 0
    assert set(stages["evaluate"]["groups"]) == set(TASKS)
    assert [proof["name"] for proof in called.json["proofs"]] == ["tokens", "merge", "tokens", "export"]
    assert all(proof["passed"] for proof in called.json["proofs"])
    page = (tmp_path / "both" / "report.html").read_text()
    assert "The same over the rows of each task alone." in page
    assert "Training read" not in page
    called = sevenfold("plan", tmp_path / "both.yaml", "--runs", tmp_path)
    assert called.code == 2
    assert "nothing is trained" in called.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--how", "tiess"], "did you mean: ties"),
        (["--how", "{ties: {densty: 1}}"], "densty"),
        (["--weights", "a,b"], "are no numbers"),
        (["--weights", "1"], "2 adapters with 1 weights"),
        (["--for", "nowhere.txt"], "what a, b was trained on is not known"),
    ],
)
def test_mistakes_are_messages(words, said, tiny_model, tmp_path) -> None:
    folders = [made.adapter(tiny_model, tmp_path / name, seed) for name, seed in (("a", 1), ("b", 2))]
    called = sevenfold("merge-adapters", *folders, "--out", tmp_path / "out", *words)
    assert called.code == 2
    assert said in called.err


def test_a_full_folder_is_left_alone(tiny_model, tmp_path) -> None:
    folders = [made.adapter(tiny_model, tmp_path / name, seed) for name, seed in (("a", 1), ("b", 2))]
    called = sevenfold("merge-adapters", *folders, "--out", folders[0])
    assert called.code == 2
    assert "is not empty" in called.err
