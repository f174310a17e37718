"""A real comparison, end to end: processes of their own, shared results, a refused variant, a kill, the page."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sevenfold.record import file_digest
from tests.report.test_page import Page
from tests.whole import record, sevenfold, write_recipe, write_rows

FILE = """\
name: ways
recipe: small.yaml
set: {tune.steps: 8, evaluate.max_new_tokens: 9, evaluate.rows: 6}
vary:
  tune.method:
    - {value: {lora: {rank: 2}}, name: lora, over: {tune.learning_rate: [1.0e-3, 1.0e-2]}}
    - {value: {layers: {last: 9}}, name: refused}
    - {value: {layers: {last: 1}}, name: last-1}
    - {value: full, set: {tune.learning_rate: 1.0e-3}}
search: {steps: 4}
"""
RUNS = Path("runs/ways")
# The fixture starts six processes, each of which imports torch: half a minute on an idle machine.
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def made(tiny_weights, tmp_path_factory) -> tuple[Path, object]:
    """A finished comparison's folder, and what the command said; do not write into it."""
    folder = tmp_path_factory.mktemp("compared")
    write_rows(folder / "rows.jsonl")
    write_recipe(folder, tiny_weights)
    (folder / "ways.yaml").write_text(FILE)
    with contextlib.chdir(folder):
        called = sevenfold("compare", "ways.yaml", "--json")
    assert called.code == 0, called.err
    return folder, called


@pytest.fixture
def place(made, tmp_path, monkeypatch) -> Path:
    """A copy of all that, which is the folder of every call."""
    folder = tmp_path / "copy"
    shutil.copytree(made[0], folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(scope="module")
def told(made):
    return made[1].json


@pytest.fixture(scope="module")
def page(made):
    return Page((made[0] / RUNS / "comparison.html").read_text(encoding="utf-8"))


def variant(told, name):
    return next(one for one in told["variants"] if one["name"] == name)


def test_every_variant_has_its_figures_and_the_refused_one_its_reason(made, told) -> None:
    assert told == json.loads((made[0] / RUNS / "comparison.json").read_text())
    assert [(one["name"], one["state"]) for one in told["variants"]] == [
        ("lora", "done"),
        ("refused", "failed"),
        ("last-1", "done"),
        ("full", "done"),
    ]
    refused = variant(told, "refused")
    assert refused["failure"]["kind"] == "RecipeError"
    assert "9" in refused["failure"]["problem"]
    assert not (made[0] / RUNS / "refused" / "4-tune").exists()
    for name in ("lora", "last-1", "full"):
        one = variant(told, name)
        stages = record(made[0] / RUNS / name)
        assert {stage["state"] for stage in stages.values()} == {"done"}
        assert one["metrics"] == stages["evaluate"]["metrics"]["metrics"]
        assert one["trainable_parameters"] == stages["tune"]["metrics"]["trainable_parameters"]
        assert one["share"] == one["trainable_parameters"] / stages["load"]["metrics"]["parameters"]
        files = (made[0] / RUNS / name / "4-tune" / "weights").iterdir()
        assert one["size_bytes"] == sum(path.stat().st_size for path in files)
        assert one["validation_loss"] == min(stages["tune"]["metrics"]["validation_losses"].values())
        assert one["seconds"] > 0
        assert one["forgetting"] is None
        assert one["steps"] == 8
    assert variant(told, "lora")["trainable_parameters"] < variant(told, "last-1")["trainable_parameters"]
    assert variant(told, "full")["share"] == 1
    assert len(told["bases"]) == 1
    assert told["bases"][0]["name"] == "base"


def test_the_search_is_of_short_runs_and_the_lowest_loss_is_taken(made, told) -> None:
    one = variant(told, "lora")
    assert [tried["candidate"] for tried in one["search"]] == [{"tune.learning_rate": r} for r in (1e-3, 1e-2)]
    best = min(one["search"], key=lambda tried: tried["validation_loss"])
    assert one["chosen"] == best["candidate"]
    assert (
        record(made[0] / RUNS / "lora")["tune"]["section"]["learning_rate"] == best["candidate"]["tune.learning_rate"]
    )
    trials = sorted((made[0] / RUNS / "search" / "lora").iterdir())
    assert [path.name for path in trials] == ["learning_rate-0.001", "learning_rate-0.01"]
    for path in trials:
        tune = record(path)["tune"]
        assert tune["metrics"]["steps"] == 4
        # Nobody keeps these weights; the variant's own run proves all.
        assert tune["proofs"] == []
    assert {proof["name"] for proof in record(made[0] / RUNS / "lora")["tune"]["proofs"]} >= {"mask", "resume"}
    assert [path.name for path in (made[0] / RUNS / "search").iterdir()] == ["lora"]


def test_rows_are_prepared_once_and_the_base_is_asked_once(made) -> None:
    runs = [made[0] / RUNS / name for name in ("lora", "last-1", "full")]
    files = [run / "1-prepare" / "train.arrow" for run in (*runs, made[0] / RUNS / "search/lora/learning_rate-0.01")]
    assert len({path.stat().st_ino for path in files}) == 1
    assert len({file_digest(run / "5-evaluate" / "base.jsonl") for run in runs}) == 1
    notes = [[note for note in record(run)["evaluate"]["notes"] if "earlier run" in note] for run in runs]
    assert [len(found) for found in notes] == [0, 1, 1]


def test_each_training_is_a_process_of_its_own(made) -> None:
    log = (made[0] / RUNS / "full" / "log.txt").read_text()
    assert "training: 8/8" in log
    peaks = {name: record(made[0] / RUNS / name)["tune"]["metrics"]["peak_memory_bytes"] for name in ("lora", "full")}
    assert all(peak > 50e6 for peak in peaks.values())


def test_progress_says_what_is_done_and_what_is_left(made) -> None:
    err = made[1].err
    assert "lora, search 1 of 2: learning_rate-0.001 (about " in err
    assert "full: train and evaluate (about " in err
    assert "validation loss " in err
    assert "warning: refused: " in err
    assert "ways: " in err


def test_pairs_are_the_paired_comparison_of_the_rows(made, told) -> None:
    names = [(pair["first"], pair["second"]) for pair in told["pairs"]]
    assert names == [("lora", "last-1"), ("lora", "full"), ("last-1", "full")]
    lines = {
        name: [json.loads(line) for line in (made[0] / RUNS / name / "5-evaluate/rows.jsonl").read_text().splitlines()]
        for name in ("lora", "full")
    }
    figures = {}
    for name, rows in lines.items():
        weights = [row["weights"]["loss"] for row in rows]
        total = sum(row["tuned"]["values"]["loss"] * weight for row, weight in zip(rows, weights, strict=True))
        figures[name] = total / sum(weights)
    assert told["pairs"][1]["difference"] == pytest.approx(figures["full"] - figures["lora"])
    assert told["pairs"][1]["confidence"] == pytest.approx(0.975)


def test_the_page_shows_all_of_it(page, told) -> None:
    for text in ("Variants", "Training", "Between variants", "Search", "Answers", "Commands", "What would change it?"):
        assert text in page.text
    for name in ("base", "lora", "last-1", "full", "refused"):
        assert name in page.text
    assert told["verdict"]["word"] in page.text
    assert told["verdict"]["summary"] in page.text
    assert variant(told, "refused")["failure"]["problem"] in page.text
    assert page.tags.count("svg") == 3
    assert not {"script", "link", "iframe", "object", "img"} & set(page.tags)
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    answers = [row for row in page.values("class") if row and row.startswith("text ")]
    # Prompt, reference, base and three variants, for three rows.
    assert len(answers) == 18


def test_a_second_call_reuses_everything_and_starts_nothing(place, told, monkeypatch) -> None:
    # A refused variant would be planned again: what stood against it may be gone.
    monkeypatch.setattr(subprocess, "Popen", None)
    Path("ways.yaml").write_text(FILE.replace("    - {value: {layers: {last: 9}}, name: refused}\n", ""))
    called = sevenfold("compare", "ways.yaml")
    assert called.code == 0, called.err
    assert [line.split(":")[0] for line in called.err.splitlines() if "done before" in line] == [
        "lora",
        "last-1",
        "full",
    ]
    assert "Take" in called.err or "None is clearly better" in called.err


@pytest.mark.slow
def test_stopped_in_the_search_it_goes_on(place, told) -> None:
    trial = RUNS / "search" / "lora" / "learning_rate-0.01"
    shutil.rmtree(trial)
    shutil.rmtree(RUNS / "lora")
    stopped = start_until((trial / "4-tune").exists, signal.SIGTERM)
    assert stopped.returncode == 130
    assert "run the same command to go on" in stopped.stderr.read()
    found = sevenfold("compare", "ways.yaml", "--json").json
    assert [tried["validation_loss"] for tried in variant(found, "lora")["search"]] == [
        tried["validation_loss"] for tried in variant(told, "lora")["search"]
    ]
    assert variant(found, "lora")["metrics"] == variant(told, "lora")["metrics"]


def test_killed_it_goes_on_and_nobody_works_behind_its_back(place, told) -> None:
    shutil.rmtree(RUNS / "full")
    killed = start_until((RUNS / "full" / "4-tune").exists, signal.SIGKILL)
    assert killed.returncode == -signal.SIGKILL
    called = sevenfold("compare", "ways.yaml", "--json")
    assert called.code == 0, called.err
    assert called.err.count("done before") == 2
    found = called.json
    for one in found["variants"]:
        before = variant(told, one["name"])
        assert one["state"] == before["state"]
        assert one.get("metrics") == before.get("metrics")
    assert found["verdict"]["best"] == told["verdict"]["best"]


def start_until(there, sent: signal.Signals) -> subprocess.Popen:
    """The command as a process, which is sent a signal once something is there."""
    command = [sys.executable, "-c", "from sevenfold.cli import main; main()", "compare", "ways.yaml"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 100
    while not there():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    os.kill(process.pid, sent)
    process.wait(60)
    return process


def test_a_plan_trains_nothing(place) -> None:
    shutil.rmtree(RUNS)
    called = sevenfold("compare", "ways.yaml", "--plan", "--json")
    assert called.code == 0, called.err
    found = {one["name"]: one for one in called.json["variants"]}
    assert found["refused"]["failure"]["kind"] == "RecipeError"
    assert found["full"]["plan"]["fits"] is True
    assert found["full"]["plan"]["steps"] == 8
    assert found["lora"]["candidates"] == [{"tune.learning_rate": 1e-3}, {"tune.learning_rate": 1e-2}]
    assert not list(RUNS.rglob("4-tune"))
    said = sevenfold("compare", "ways.yaml", "--plan").err
    assert "refused" in said
    assert "sevenfold evaluate small.yaml --set name=full" in said


def test_what_is_wrong_for_all_is_said_once(place) -> None:
    shutil.rmtree(RUNS)
    Path("rows.jsonl").unlink()
    called = sevenfold("compare", "ways.yaml", "--json")
    assert called.code == 2
    assert "rows.jsonl" in called.json["error"]
    assert "Traceback" not in called.err


def test_where_no_variant_can_be_run_the_reason_is_the_error(place) -> None:
    shutil.rmtree(RUNS)
    Path("ways.yaml").write_text(FILE.split("vary:")[0] + "vary: {tune.method: [{layers: {last: 9}}]}\n")
    called = sevenfold("compare", "ways.yaml", "--json")
    assert called.code == 2
    assert called.json["error"].startswith("no variant could be run; the first: ")
    assert called.json["kind"] == "RecipeError"
    assert "layers-last-9" in (RUNS / "comparison.html").read_text()


def test_a_comparison_cannot_take_a_runs_folder(place) -> None:
    shutil.copytree(RUNS / "full", "runs/full")
    called = sevenfold("compare", "ways.yaml", "--set", "name=full")
    assert called.code == 2
    assert "'runs/full' is a run" in called.err


def test_a_crash_is_a_failure_with_its_log(tmp_path) -> None:
    from sevenfold.compare import process

    heard: list[str] = []
    ended = process.call(["nonsense"], tmp_path / "log.txt", heard.append)
    assert ended.failure is not None
    assert "nonsense" in ended.failure.problem
    assert heard
    crashed = process.ended(-signal.SIGKILL, "", "last words", tmp_path / "log.txt")
    assert crashed.failure is not None
    assert "SIGKILL; the system does that when memory runs out" in crashed.failure.problem
    crashed = process.ended(1, "", "ZeroDivisionError: division by zero", tmp_path / "log.txt")
    assert crashed.failure is not None
    assert (crashed.failure.problem, crashed.failure.where) == (
        "ZeroDivisionError: division by zero",
        str(tmp_path / "log.txt"),
    )
