"""The command ``rollback`` on a run, and what can be done with what it writes."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file

from tests.whole import record, sevenfold, write_recipe


def weights(folder):
    return load_file(folder / "model.safetensors")


@pytest.fixture
def base(tiny_weights):
    return weights(tiny_weights)


def test_a_half_is_a_model_of_its_own(workshop, base) -> None:
    called = sevenfold("rollback", "small", "--which", "even", "--to", "half", "--json")
    assert called.code == 0, called.err
    found = called.json
    merged, half = weights(workshop / "runs/small/6-deploy/merged"), weights(workshop / "half")
    for name, weight in half.items():
        assert torch.equal(weight, base[name] if name in found["parameters"] else merged[name]), name
    assert any(not torch.equal(weight, base[name]) for name, weight in half.items())
    assert found["weights"] == sum(base[name].numel() for name in found["parameters"])
    assert (found["run"], found["which"], found["dtype"]) == ("small", ["even"], "float32")
    assert json.loads((workshop / "half" / "rolled-back.json").read_text()) == found
    assert [path.name for path in workshop.glob(".half*")] == []


def metrics(run):
    return record(run)["evaluate"]["metrics"]["metrics"]["loss"]


def test_it_is_compared_with_the_base_on_the_runs_own_rows(workshop) -> None:
    assert sevenfold("rollback", "small", "--which", "*.mlp.*", "--which", "*.q_proj.*", "--to", "half").code == 0
    called = sevenfold(
        "evaluate", "small.yaml", "--set", "name=again", "--set", "tune={method: {whole: {folder: half}}}", "--json"
    )
    assert called.code == 0, called.err
    before, after = metrics(workshop / "runs" / "small"), metrics(workshop / "runs" / "again")
    assert after["base"] == before["base"]
    assert after["tuned"] not in (before["base"], before["tuned"])
    assert min(before["base"], before["tuned"]) < after["tuned"] < max(before["base"], before["tuned"])


def test_a_recipe_loads_it_and_trains_on(workshop, tiny_weights) -> None:
    assert sevenfold("rollback", "small", "--which", "even", "--to", "half").code == 0
    write_recipe(workshop, tiny_weights, load={"model": "half"}, tune={"steps": 1, "learning_rate": 1e-9})
    called = sevenfold("evaluate", "small.yaml", "--set", "name=again", "--json")
    assert called.code == 0, called.err
    before, after = metrics(workshop / "runs" / "small"), metrics(workshop / "runs" / "again")
    assert after["base"] == pytest.approx(after["tuned"], abs=1e-5)
    assert after["base"] not in (before["base"], before["tuned"])


def test_what_a_person_sees(workshop, base) -> None:
    called = sevenfold("rollback", "small", "--which", "0.5", "--to", "deep/half")
    assert called.code == 0, called.err
    assert f"of {sum(weight.numel() for weight in base.values()):,} weights are the base's again" in called.err
    assert "deep/half: plain weights in float32, tokenizer, and rolled-back.json" in called.err
    called = sevenfold("rollback", "small", "--which", "*norm*", "--to", "norms")
    assert "nothing of this part had changed" in called.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["smal", "--which", "even", "--to", "half"], "did you mean: small"),
        (["small", "--which", "evn", "--to", "half"], "did you mean: even"),
        (["small", "--which", "1.5", "--to", "half"], "a share over 0 to 1"),
        (["small", "--which", "*.mpl.*", "--to", "half"], "did you mean: *.mlp.*"),
        (["small", "--which", "even", "--to", "."], "is not empty"),
        (["small", "--which", "even", "--to", "small.yaml"], "is not empty"),
        (["small", "--to", "half"], "--which"),
    ],
)
def test_mistakes_are_messages(words, said, workshop) -> None:
    called = sevenfold("rollback", *words)
    assert called.code == 2
    assert said in called.err
    assert not (workshop / "half").exists()


def test_a_run_without_training_is_told_what_to_do(workshop) -> None:
    assert sevenfold("load", "small.yaml", "--set", "name=bare").code == 0
    called = sevenfold("rollback", "bare", "--which", "even", "--to", "half")
    assert called.code == 2
    assert "'bare' has no tuned model yet" in called.err
    assert "next: sevenfold tune bare" in called.err


def test_a_base_that_is_another_one_now_is_refused(workshop) -> None:
    assert sevenfold("load", "small.yaml", "--set", "load.template=alpaca").code == 0
    called = sevenfold("rollback", "small", "--which", "even", "--to", "half")
    assert called.code == 2
    assert "tuned on another model" in called.err


def test_a_method_that_does_not_merge_is_refused(workshop) -> None:
    assert sevenfold("tune", "small.yaml", "--set", "tune.method=prompt", "--set", "tune.steps=2").code == 0
    called = sevenfold("rollback", "small", "--which", "even", "--to", "half")
    assert called.code == 2
    assert "'prompt' learns cannot be written as plain weights" in called.err
