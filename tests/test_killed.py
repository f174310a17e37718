"""Killed at any moment, run again: the same weights, bit for bit; asked to stop: a message and everything saved.

Processes are forked from a server that has imported the heavy parts, so that a kill costs a second and not five.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import random
import signal
import sys
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from sevenfold.record import file_digest
from tests.whole import record, sevenfold, write_recipe, write_rows

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["sevenfold.cli", "sevenfold.tune.trainer", "transformers.models.llama.modeling_llama"])
STEPS = 40
RUN = Path("runs/small")
WEIGHTS = RUN / "4-tune" / "weights" / "adapter_model.safetensors"
TRAINING = {"steps": STEPS, "checkpoint_every": 2, "validate_every": 7}
LOG = Path("log")


def work(folder: str, words: tuple[str, ...]) -> None:
    """The script, in a child process: its output goes into ``log``, then ``out``."""
    # A shell starts what runs in the background with SIGINT ignored, and children inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(folder)
    sys.stderr, sys.stdout = (path.open("w", buffering=1) for path in (LOG, Path("out")))
    sys.argv = ["sevenfold", *words]
    from sevenfold import cli

    cli.main()


def start(*words: str) -> BaseProcess:
    """A process that runs a command in the folder of the test."""
    LOG.unlink(missing_ok=True)
    process = FORKS.Process(target=work, args=(str(Path.cwd()), words))
    process.start()
    return process


def wait_for(process: BaseProcess, text: str) -> None:
    """Until the process has said something."""
    deadline = time.monotonic() + 100
    while time.monotonic() < deadline:
        if LOG.exists() and text in LOG.read_text():
            return
        assert process.is_alive(), LOG.read_text()
        time.sleep(0.005)
    raise AssertionError(f"{text!r} is not in {LOG.read_text()}")


def end(process: BaseProcess, sent: signal.Signals | None = None) -> int:
    """Send a signal, and wait for the exit code."""
    if sent is not None:
        assert process.pid
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, sent)
    process.join(100)
    assert process.exitcode is not None
    return process.exitcode


@pytest.fixture(scope="module")
def whole_one(tiny_weights, tmp_path_factory) -> dict[str, object]:
    """What an uninterrupted training leaves, and how long it took."""
    folder = tmp_path_factory.mktemp("whole")
    with contextlib.chdir(folder):
        write_rows(Path("rows.jsonl"))
        write_recipe(folder, tiny_weights, tune=TRAINING)
        process = start("tune", "small.yaml")
        wait_for(process, "1 prepare")
        began = time.monotonic()
        assert end(process) == 0, LOG.read_text()
        return {"seconds": time.monotonic() - began, **left()}


@pytest.fixture
def place(tmp_path, tiny_weights, monkeypatch) -> Path:
    """A folder with the same recipe and no run."""
    monkeypatch.chdir(tmp_path)
    write_rows(tmp_path / "rows.jsonl")
    return write_recipe(tmp_path, tiny_weights, tune=TRAINING)


def left() -> dict[str, object]:
    """What training left that does not depend on the clock."""
    result = json.loads((RUN / "4-tune" / "result.json").read_text())
    history = [json.loads(line) for line in (RUN / "4-tune" / "history.jsonl").read_text().splitlines()]
    return {
        "weights": file_digest(WEIGHTS),
        "result": {name: result[name] for name in ("steps", "best_step", "losses", "validation_losses", "tokens")},
        "history": [{name: value for name, value in step.items() if name != "seconds"} for step in history],
    }


def check(expected: dict[str, object]) -> None:
    """The run is done, equals the uninterrupted one, and has no half-written file."""
    found = left()
    assert [step["step"] for step in found["history"]] == list(range(1, STEPS + 1))  # type: ignore[attr-defined]
    assert found == {name: value for name, value in expected.items() if name != "seconds"}
    assert record(RUN)["tune"]["state"] == "done"
    assert [path for path in RUN.rglob(".*") if path.name != ".lock"] == []


def kill_at_random(seed: int, kills: int, whole_one: dict[str, object]) -> None:
    """Kill a few times at moments drawn over the whole of the work, then let it end."""
    moments = random.Random(seed)
    for _ in range(kills):
        process = start("tune", "small.yaml")
        wait_for(process, "1 prepare")
        time.sleep(moments.uniform(0, whole_one["seconds"]))  # type: ignore[arg-type]
        end(process, signal.SIGKILL)
    assert end(start("tune", "small.yaml")) == 0, LOG.read_text()
    check(whole_one)


def test_kill_at_random_moments_ends_with_the_same_bits(place, whole_one) -> None:
    kill_at_random(1, 3, whole_one)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 12))
def test_many_kills_end_with_the_same_bits(place, whole_one, seed) -> None:
    kill_at_random(seed, 4, whole_one)


def test_kill_in_the_middle_of_a_checkpoint(place, whole_one) -> None:
    process = start("tune", "small.yaml")
    checkpoints = RUN / "4-tune" / "checkpoints"
    wait_for(process, "step 14: validation loss")
    while not list(checkpoints.glob(".writing-*/*")):
        assert process.is_alive()
    end(process, signal.SIGKILL)
    assert end(start("tune", "small.yaml")) == 0, LOG.read_text()
    assert "resumed from step" in LOG.read_text()
    check(whole_one)


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_in_training_saves_everything(place, whole_one, sent) -> None:
    process = start("tune", "small.yaml", "--json")
    wait_for(process, "step 7: validation loss")
    # The run is taken while it works.
    assert "in use by another process" in sevenfold("tune", "small.yaml").err
    assert end(process, sent) == 130
    said = LOG.read_text()
    assert f"stopped by {sent.name} after step" in said
    assert "everything is saved" in said
    assert "run the same command to go on" in said
    assert "Traceback" not in said
    assert "error" not in said
    error = json.loads(Path("out").read_text())
    assert error["kind"] == "Interrupted"
    step = int(error["error"].partition("after step ")[2].split()[0])

    assert end(start("tune", "small.yaml")) == 0
    assert f"resumed from step {step}" in LOG.read_text()
    check(whole_one)


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_outside_of_training_is_a_message(place, sent) -> None:
    process = start("tune", "small.yaml", "--json")
    wait_for(process, "proved mask")
    assert end(process, sent) == 130, LOG.read_text()
    said = LOG.read_text()
    assert "stopped; what is done is kept" in said
    assert "Traceback" not in said
    assert json.loads(Path("out").read_text())["next"] == "run the same command to go on"


@pytest.mark.parametrize(
    "moment",
    [
        "base model: 4/8",
        "export merged:",
        pytest.param("5 evaluate", marks=pytest.mark.slow),
        pytest.param("smoke test:", marks=pytest.mark.slow),
    ],
)
def test_a_kill_in_evaluation_or_deployment_is_worked_up(place, moment) -> None:
    # No other test asks the base for answers of this length, so they are not known yet.
    words = ("deploy", "small.yaml", "--set", "tune.steps=2", "--set", f"evaluate.max_new_tokens={len(moment)}")
    process = start(*words)
    wait_for(process, moment)
    assert end(process, signal.SIGKILL) == -signal.SIGKILL
    assert end(start(*words)) == 0, LOG.read_text()
    stages = record(RUN)
    assert {stage["state"] for stage in stages.values()} == {"done"}
    assert [proof["name"] for proof in stages["deploy"]["proofs"]] == ["tokens", "export"]
    rows = (RUN / "5-evaluate" / "rows.jsonl").read_text().splitlines()
    assert len({json.loads(row)["row"] for row in rows}) == len(rows) == 4
    if moment.startswith("base"):
        assert any("from an interrupted run" in note for note in stages["evaluate"]["notes"])
    assert [path for path in RUN.rglob(".*") if path.name != ".lock"] == []
