"""The run: what is done is reused, what changed is done again, nothing is lost and nothing is mixed up."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from sevenfold.chat.encoder import Encoder
from sevenfold.pipeline import NAMES, Run
from sevenfold.recipe import Recipe
from sevenfold.record import Record, file_digest
from tests.whole import FOLDERS, SEVEN, record, sevenfold

REUSABLE = ("prepare", "load", "tune", "evaluate", "deploy")
WEIGHTS = Path("runs/small/4-tune/weights/adapter_model.safetensors")


def reused(err: str) -> list[str]:
    """The stages that a command did not do again."""
    return [line.split()[1].rstrip(":") for line in err.splitlines() if line.endswith("done before, reused")]


def test_a_whole_run_gives_seven_folders_a_record_a_recipe_and_a_report(finished) -> None:
    run = finished / "runs" / "small"
    assert sorted(path.name for path in run.iterdir() if path.is_dir()) == FOLDERS
    assert all((run / name / "result.json").is_file() for name in FOLDERS)
    stages = record(run)
    assert list(stages) == list(NAMES)
    assert {stage["state"] for stage in stages.values()} == {"done"}
    proofs = [proof for stage in stages.values() for proof in stage["proofs"]]
    assert {proof["name"] for proof in proofs} == set(SEVEN)
    assert all(proof["passed"] and proof["figure"] <= proof["limit"] for proof in proofs)
    assert Recipe.from_file(run / "recipe.yaml").to_yaml() == Recipe.from_file(finished / "small.yaml").to_yaml()
    assert "<svg" in (run / "report.html").read_text()


def test_how_the_rows_fit_the_model_is_measured_once(workshop) -> None:
    path = Path("runs/small/tokens.json")
    found = json.loads(path.read_text())
    stages = record(Path("runs/small"))
    assert found["of"] | {"tune": ""} == {name: stages[name]["identity"] for name in ("prepare", "load")} | {"tune": ""}
    assert found["figures"]["rows"] == sum(stages["prepare"]["metrics"]["splits"].values())
    assert "tokens.json" in Path("runs/small/report.html").read_text()
    before = path.stat().st_mtime_ns
    assert sevenfold("load", "small.yaml").code == 0
    assert path.stat().st_mtime_ns == before
    assert sevenfold("load", "small.yaml", "--set", "tune.max_length=9").code == 0
    assert json.loads(path.read_text())["figures"]["max_length_tokens"] == 9


def test_every_value_has_its_origin_and_every_stage_its_parents(finished) -> None:
    stages = record(finished / "runs" / "small")
    origins = stages["tune"]["origins"]
    assert origins["steps"].startswith("small.yaml:")
    assert origins["clip"] == "default"
    for name, needs in {"tune": NAMES[:3], "deploy": NAMES[:4], "monitor": ("prepare", "deploy")}.items():
        assert stages[name]["parents"] == {need: stages[need]["identity"] for need in needs}


def test_a_second_run_does_again_only_what_looks_at_the_world(workshop) -> None:
    before = record(Path("runs/small"))
    called = sevenfold("run", "small.yaml")
    assert called.code == 0
    assert reused(called.err) == list(REUSABLE)
    after = record(Path("runs/small"))
    assert [name for name in NAMES if after[name] == before[name]] == list(REUSABLE)
    assert not Path("runs/small/history").exists()


def test_where_rows_are_worked_on_changes_nothing(workshop) -> None:
    called = sevenfold("prepare", "small.yaml", "--set", "prepare.workers=here")
    assert called.code == 0, called.err
    assert reused(called.err) == ["prepare"]


def test_a_changed_section_is_done_again_with_what_follows_and_comes_back(workshop) -> None:
    before, weights = record(Path("runs/small")), file_digest(WEIGHTS)
    called = sevenfold("deploy", "small.yaml", "--set", "tune.learning_rate=0.02")
    assert called.code == 0, called.err
    assert reused(called.err) == ["prepare", "load"]
    assert file_digest(WEIGHTS) != weights
    assert record(Path("runs/small"))["tune"]["origins"]["learning_rate"] == "--set tune.learning_rate=0.02"
    aside = {path.name.rpartition("-")[0]: path for path in Path("runs/small/history").iterdir()}
    assert sorted(aside) == ["4-tune", "5-evaluate", "6-deploy"]
    assert file_digest(aside["4-tune"] / "weights" / WEIGHTS.name) == weights

    called = sevenfold("deploy", "small.yaml")
    assert reused(called.err) == list(REUSABLE)
    assert file_digest(WEIGHTS) == weights
    after = record(Path("runs/small"))
    assert [name for name in NAMES if after[name] == before[name]] == [name for name in NAMES if name != "setup"]


def test_changed_data_is_prepared_again(workshop) -> None:
    with Path("rows.jsonl").open("a") as file:
        file.write('{"prompt": "one more", "completion": "row"}\n')
    called = sevenfold("load", "small.yaml")
    assert reused(called.err) == ["load"]
    assert record(Path("runs/small"))["prepare"]["metrics"]["rows"] == 41


def test_a_half_done_stage_comes_back_from_the_history_and_goes_on(workshop, monkeypatch) -> None:
    from sevenfold.tune.trainer import Trainer

    def interrupted(self, step, bar):
        log(self, step, bar)
        # The proof `resume` trains for four steps of its own.
        if step.step == 5:
            raise KeyboardInterrupt

    log = Trainer.log
    monkeypatch.setattr(Trainer, "log", interrupted)
    assert sevenfold("tune", "small.yaml", "--set", "tune.learning_rate=0.03").code == 130
    monkeypatch.undo()
    monkeypatch.chdir(workshop)
    assert sevenfold("tune", "small.yaml").code == 0
    called = sevenfold("tune", "small.yaml", "--set", "tune.learning_rate=0.03")
    assert called.code == 0, called.err
    assert "resumed from step 4" in called.err


def test_a_kill_between_two_moves_of_folders_does_not_mix_results(workshop) -> None:
    run = Path("runs/small")
    other = ("prepare", "small.yaml", "--set", "prepare.split.test=9")
    sevenfold(*other)
    # A process that brings the first result back, and dies before it can write the record.
    (earlier,) = (run / "history").glob("1-prepare-*")
    identity = record(run)["prepare"]["identity"]
    (run / "1-prepare").rename(run / "history" / f"1-prepare-{identity[:16]}")
    earlier.rename(run / "1-prepare")

    assert reused(sevenfold(*other).err) == ["prepare"]
    assert json.loads((run / "1-prepare" / "result.json").read_text())["counts"]["test"] == 9
    assert record(run)["prepare"]["metrics"]["splits"]["test"] == 9
    assert reused(sevenfold("prepare", "small.yaml").err) == ["prepare"]
    assert json.loads((run / "1-prepare" / "result.json").read_text())["counts"]["test"] == 6
    assert record(run)["prepare"]["metrics"]["splits"]["test"] == 6


def test_what_a_killed_process_was_writing_is_removed(workshop) -> None:
    run = Path("runs/small")
    left = [run / ".record.json.abc", run / "3-setup" / ".result.json.abc", run / "3-setup" / "x" / ".writing-abc"]
    for path in left:
        path.mkdir(parents=True)
        (path / "file").write_text("half")
    assert sevenfold("setup", "small.yaml").code == 0
    assert [path for path in left if path.exists()] == []


@pytest.mark.parametrize("lost", ["rows.jsonl", "small.yaml"])
def test_a_moved_run_is_opened_under_its_new_name(workshop, tmp_path, lost) -> None:
    moved = tmp_path / "archive" / "kept"
    moved.parent.mkdir()
    shutil.move("runs/small", moved)
    Path(lost).unlink()
    assert json.loads(sevenfold("show", moved, "--json").out)["name"] == "kept"
    called = sevenfold("monitor", moved, "--json")
    assert called.code == 0, called.err
    assert called.json["folder"] == str(moved)
    assert called.json["requests"] == 2
    assert not list(Path("runs").iterdir())
    if lost == "small.yaml":
        assert reused(sevenfold("deploy", moved).err) == list(REUSABLE)


def test_monitor_of_a_run_trains_nothing_even_when_the_data_changed(workshop) -> None:
    Path("rows.jsonl").write_text('{"prompt": "other", "completion": "rows"}\n')
    before = record(Path("runs/small"))
    assert sevenfold("monitor", "small").code == 0
    after = record(Path("runs/small"))
    assert [name for name in NAMES if after[name] != before[name]] == ["monitor"]


def test_monitor_of_a_run_without_a_service_says_so(workshop) -> None:
    shutil.rmtree("runs/small/6-deploy")
    called = sevenfold("monitor", "small")
    assert called.code == 2
    assert "no stage 'deploy' yet" in called.err
    assert "next: sevenfold deploy RECIPE" in called.err


def test_a_command_that_looks_leaves_the_runs_recipe_as_it_is(workshop) -> None:
    before = Path("runs/small/recipe.yaml").read_text()
    assert sevenfold("plan", "small.yaml", "--set", "tune.batch=2").code == 0
    assert Path("runs/small/recipe.yaml").read_text() == before


def test_a_failing_proof_stops_with_code_3_and_force_goes_on_and_is_kept(workshop, monkeypatch) -> None:
    closed = Encoder.closed
    monkeypatch.setattr(Encoder, "closed", lambda self, ids: closed(self, ids)[:-1])
    changed = ("small.yaml", "--set", "tune.steps=2")
    called = sevenfold("tune", *changed, "--json")
    assert called.code == 3
    assert called.json["kind"] == "ProofError"
    assert called.json["error"].startswith("the proof 'mask' failed")
    assert "--force" in called.json["next"]
    assert record(Path("runs/small"))["tune"]["state"] == "failed"

    called = sevenfold("tune", *changed, "--force")
    assert called.code == 0, called.err
    mask = next(proof for proof in record(Path("runs/small"))["tune"]["proofs"] if proof["name"] == "mask")
    assert (mask["passed"], mask["forced"]) == (False, True)

    called = sevenfold("prove", *changed, "--json")
    assert called.code == 3
    assert [proof["name"] for proof in called.json["proofs"] if not proof["passed"]] == ["mask"]


def test_a_second_process_on_a_run_is_told(workshop) -> None:
    with Record(Path("runs/small")).locked():
        called = sevenfold("prepare", "small.yaml")
    assert called.code == 2
    assert "the run 'small' is in use by another process" in called.err


def test_a_run_from_python_is_the_same_run(workshop) -> None:
    made = Run(Recipe.from_file("small.yaml")).up_to("deploy")
    assert made.as_json()["stages"]["tune"] == record(Path("runs/small"))["tune"]
    assert made.stages["tune"].seconds == record(workshop / "runs" / "small")["tune"]["seconds"]
