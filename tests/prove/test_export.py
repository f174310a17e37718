"""The proof `export` on the default deployment, and on exports that were broken."""

from __future__ import annotations

import contextlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from sevenfold.pipeline import NAMES, Run, stage_named
from sevenfold.prove import export, proofs
from sevenfold.prove.proof import Case
from sevenfold.recipe import Recipe
from sevenfold.record import Entry
from tests.generate import llama_style
from tests.whole import record, sevenfold, write_recipe, write_rows

DEFAULT = {"export": ["adapter", "merged", "gguf"], "engine": "xllamacpp"}


@pytest.fixture(scope="module")
def deployed(tmp_path_factory) -> Path:
    """A folder with the finished run of the default deployment, on a model that llama.cpp's converter takes."""
    folder = tmp_path_factory.mktemp("deployed")
    write_rows(folder / "rows.jsonl")
    weights = llama_style.make(folder / "model")
    write_recipe(folder, weights, deploy=DEFAULT, tune={"learning_rate": 3e-2})
    with contextlib.chdir(folder):
        called = sevenfold("run", "small.yaml")
    assert called.code == 0, called.err
    return folder


@pytest.fixture
def case(deployed, tmp_path, monkeypatch) -> Case:
    """What the proof is given, with a copy of the exports."""
    monkeypatch.chdir(deployed)
    run = Run(Recipe.from_file("small.yaml"))
    results = {name: stage_named(name).open(run.folder) for name in NAMES[:6]}
    made = proofs.case_of(results, run.recipe, Entry(tmp_path))
    assert made.service
    shutil.copytree(made.service.folder, tmp_path / "6-deploy")
    return replace(made, service=type(made.service).open(tmp_path / "6-deploy"))


def only(case: Case, name: str) -> Case:
    """The same with one export, so that a test costs one engine."""
    assert case.service
    service = case.service.model_copy(update={"exports": {name: case.service.exports[name]}})
    service._folder = case.service.folder
    return replace(case, service=service)


def change(path: Path, name: str, amount: float) -> None:
    """Add to one number of one tensor of a safetensors file."""
    from safetensors.torch import load_file, save_file

    tensors = load_file(path)
    found = next(key for key in tensors if name in key)
    tensors[found].view(-1)[0] += amount
    save_file(tensors, path, metadata={"format": "pt"})


def test_the_default_deployment_is_proved(deployed) -> None:
    (proof,) = (one for one in record(deployed / "runs" / "small")["deploy"]["proofs"] if one["name"] == "export")
    assert proof["passed"]
    for form in ("merged (float32)", "adapter (float32)", "gguf (f16)"):
        assert form in proof["what"]


@pytest.mark.parametrize("name", ["merged", "adapter", "gguf"])
def test_each_form_holds_alone(case, name) -> None:
    proof = proofs.run("export", only(case, name))
    assert proof.passed, proofs.line(proof)


def test_a_merged_export_with_one_changed_number_is_caught(case) -> None:
    change(case.service.export("merged") / "model.safetensors", "layers.1.mlp.down_proj", 1.0)
    assert not proofs.run("export", only(case, "merged")).passed


def test_an_adapter_with_another_alpha_is_caught(case) -> None:
    path = case.service.export("adapter") / "adapter_config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, "lora_alpha": config["lora_alpha"] * 2}))
    assert not proofs.run("export", only(case, "adapter")).passed


def test_an_adapter_with_one_changed_number_is_caught(case) -> None:
    change(case.service.export("adapter") / "adapter_model.safetensors", "lora_B", 1.0)
    assert not proofs.run("export", only(case, "adapter")).passed


def test_a_gguf_of_the_base_is_caught(case, deployed) -> None:
    llama_style.convert(deployed / "model", case.service.export("gguf") / "model.gguf")
    proof = proofs.run("export", only(case, "gguf"))
    assert not proof.passed
    assert "gguf (f32)" in proof.what


def test_an_export_of_another_runs_weights_is_caught(case, deployed) -> None:
    shutil.copy(deployed / "model" / "model.safetensors", case.service.export("merged") / "model.safetensors")
    assert not proofs.run("export", only(case, "merged")).passed


def test_one_bad_form_among_good_ones_is_caught_and_recorded_when_forced(case) -> None:
    change(case.service.export("adapter") / "adapter_model.safetensors", "lora_B", 1.0)
    entry = Entry(case.folder)
    entry.record.name = "deploy"
    proofs.check(("export",), "after", case, entry, force=True)
    (proof,) = entry.record.proofs
    assert (proof["passed"], proof["forced"], proof["when"]) == (False, True, "after deploy")
    assert proof["figure"] > 1


@pytest.mark.parametrize(("number", "name"), [(0, "f32"), (1, "f16"), (7, "q8_0"), (32, "bf16")])
def test_the_precision_of_a_gguf_is_what_it_says(tmp_path, number, name) -> None:
    from gguf import GGUFWriter, LlamaFileType

    writer = GGUFWriter(tmp_path / "model.gguf", "llama")
    writer.add_file_type(number)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    assert export.precision_of(tmp_path) == name
    assert LlamaFileType(number).name.lower().removeprefix("all_").removeprefix("mostly_") == name
    assert name in export.TOLERANCE


@pytest.mark.parametrize("name", ["float32", "float16", "bfloat16"])
def test_the_precision_of_plain_weights_is_that_of_their_config(tmp_path, tiny_weights, name) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    AutoModelForCausalLM.from_pretrained(tiny_weights, dtype=getattr(torch, name)).save_pretrained(tmp_path)
    assert export.precision_of(tmp_path) == name
    assert name in export.TOLERANCE


def test_every_type_that_a_recipe_can_ask_for_has_a_tolerance() -> None:
    from typing import get_args

    from sevenfold.deploy.exports.gguf import Gguf

    assert set(get_args(Gguf.model_fields["outtype"].annotation)) == set(export.GGUF_TYPES.values())
    assert set(export.GGUF_TYPES.values()) <= export.TOLERANCE.keys()
