"""A run whose model reads virtual tokens: through all seven stages, and served beside its base."""

from __future__ import annotations

import contextlib
import json

import pytest

from sevenfold.chat.conversation import Message
from sevenfold.deploy.service import Service
from sevenfold.generate.engine import Sampling
from tests import whole

DEFAULTS = {"export": ["adapter", "merged", "gguf"], "engine": "xllamacpp"}


@pytest.fixture(scope="module", params=["prompt", "prefix", "adapter"])
def run(request, tiny_weights, tmp_path_factory):
    """The folder of a finished run with the exports and the engine that a recipe has when it says nothing."""
    folder = tmp_path_factory.mktemp(request.param)
    whole.write_rows(folder / "rows.jsonl")
    whole.write_recipe(folder, tiny_weights, tune={"method": request.param}, deploy=DEFAULTS)
    with contextlib.chdir(folder):
        called = whole.sevenfold("run", "small.yaml")
    assert called.code == 0, called.err
    return folder / "runs" / "small"


def test_every_proof_holds_and_what_does_not_exist_is_left_out(run) -> None:
    stages = whole.record(run)
    proofs = [proof for stage in stages.values() for proof in stage["proofs"]]
    assert {proof["name"] for proof in proofs} == set(whole.SEVEN)
    assert all(proof["passed"] for proof in proofs)
    service = Service.open(run / "6-deploy")
    assert list(service.exports) == ["adapter"]
    assert service.skipped.keys() == {"merged", "gguf"}
    assert "cannot be written as plain weights" in service.skipped["gguf"]
    assert any("neither a merged form nor a GGUF" in note for note in stages["tune"]["notes"])
    assert any("not xllamacpp, with what was learnt beside the base" in note for note in stages["deploy"]["notes"])


def test_the_service_reads_what_training_read(run) -> None:
    service = Service.open(run / "6-deploy")
    lead = [] if "adapter" in str(run) else list(range(400, 420))
    first = service.smoke[0]
    with service.open_engine(threads=1) as engine:
        prompt = engine.encoder.prompt([Message("user", first.messages[0]["content"])])
        answer = engine.generate([prompt], Sampling(max_new_tokens=8))[0]
    assert prompt[: len(lead)] == lead
    assert (answer.text, answer.prompt_tokens) == (first.answer, first.prompt_tokens)


def test_the_run_can_be_moved(run, tmp_path) -> None:
    moved = run.parent.rename(tmp_path / "elsewhere") / "small"
    try:
        with Service.open(moved / "6-deploy").open_engine(threads=1) as engine:
            assert engine.context == 128
    finally:
        moved.parent.rename(run.parent)


def test_the_base_is_asked_without_virtual_tokens(run) -> None:
    report = json.loads((run / "5-evaluate" / "result.json").read_text())
    assert report["rows"] == 4
    base, tuned = ((run / "5-evaluate" / f"{name}.jsonl").read_text() for name in ("base", "tuned"))
    assert base != tuned


def test_a_recipe_with_no_form_that_exists_is_refused_before_it_runs(tiny_weights, tmp_path, monkeypatch) -> None:
    whole.write_rows(tmp_path / "rows.jsonl")
    deploy = {"export": ["merged"], "engine": "transformers"}
    whole.write_recipe(tmp_path, tiny_weights, tune={"method": "prompt"}, deploy=deploy)
    monkeypatch.chdir(tmp_path)
    called = whole.sevenfold("run", "small.yaml")
    assert called.code == 2
    assert "'prompt' learns cannot be written as plain weights, so none of these forms exists: merged" in called.err
    assert "small.yaml:" in called.err
    assert "adapter in deploy.export" in called.err
    assert not (tmp_path / "runs").exists()


def test_virtual_tokens_that_leave_no_room_are_refused(tiny_weights, tmp_path, monkeypatch) -> None:
    whole.write_recipe(tmp_path, tiny_weights, tune={"method": {"prompt": {"tokens": 511}}})
    monkeypatch.chdir(tmp_path)
    called = whole.sevenfold("run", "small.yaml")
    assert called.code == 2
    assert "511 virtual tokens leave no room in tune.max_length = 512" in called.err
