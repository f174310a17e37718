"""The command line: one JSON object, the keys that scripts rely on, a quick start."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.whole import SEVEN, record, sevenfold

QUICK_SECONDS = 1.0
"""Of processor time, start of Python included. It takes 0.15 s here; importing torch alone takes 1.5 s and more, so the
bound tells the two apart on a machine that is several times slower."""


def test_help_answers_at_once() -> None:
    script = (
        "import os, resource, subprocess, sys\n"
        "subprocess.run([sys.executable, '-c', 'from sevenfold.cli import main; main()', '--help'], check=True)\n"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "print('seconds', used.ru_utime + used.ru_stime)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert all(command in done.stdout for command in ("prepare", "monitor", "prove", "plan", "doctor", "schema"))
    assert float(done.stdout.split()[-1]) < QUICK_SECONDS


@pytest.mark.parametrize(
    "code",
    [
        "import sevenfold; sevenfold.prepare, sevenfold.tune, sevenfold.monitor",
        "from sevenfold.recipe import Recipe; Recipe.from_file('recipes/demo.yaml')",
        "import sys; sys.argv[1:] = ['schema']\nfrom sevenfold.cli import call; call()",
    ],
    ids=["import", "recipe", "schema"],
)
def test_no_heavy_library_is_loaded_for_nothing(code) -> None:
    heavy = "torch transformers pyarrow datasets fastapi matplotlib pandas scipy sacrebleu xllamacpp peft"
    script = f"{code}\nimport sys; print([name for name in {heavy.split()} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.fixture
def looked(finished, monkeypatch) -> None:
    """The folder of the finished run, for commands that change nothing but what looks at the world."""
    monkeypatch.chdir(finished)


def test_run_gives_the_headline_of_training(looked) -> None:
    called = sevenfold("run", "small.yaml", "--json")
    assert called.code == 0
    found = called.json
    assert found["tokens_per_second"] > 0
    assert found["peak_memory_bytes"] > 50e6
    assert found["trainable_parameters"] == 32768
    assert len(found["losses"]) == 6
    assert (found["run"], found["folder"]) == ("small", "runs/small")
    assert {proof["name"] for proof in found["proofs"]} == set(SEVEN)
    assert list(found["stages"]) == ["prepare", "load", "setup", "tune", "evaluate", "deploy", "monitor"]
    assert "1 prepare: done before, reused" in called.err


def test_tune_gives_its_figures_at_the_top(looked) -> None:
    found = sevenfold("tune", "small.yaml", "--json").json
    assert {"tokens_per_second", "peak_memory_bytes", "trainable_parameters", "losses"} <= found.keys()
    assert found["steps"] == len(found["losses"]) == 6
    assert found["trainable_parameters"] == 32768


def test_evaluate_gives_each_metric_with_interval_and_comparison(looked) -> None:
    found = sevenfold("evaluate", "small.yaml", "--json").json
    assert list(found["metrics"]) == ["loss", "perplexity", "chrf", "rouge_l", "exact_match"]
    for metric in found["metrics"].values():
        assert {"base", "tuned", "difference", "interval", "better"} <= metric.keys()
        low, high = metric["interval"]
        assert low <= metric["difference"] <= high
    assert found["better"] in ("yes", "no", "mixed", "unclear")


@pytest.mark.parametrize("stage", ["prepare", "load", "setup", "deploy", "monitor"])
def test_every_stage_gives_one_object(looked, stage) -> None:
    found = sevenfold(stage, "small.yaml", "--json").json
    assert found["stage"] == stage
    figures = {
        "prepare": ("rows", 40),
        "load": ("stop_ids", [2]),
        "setup": ("memory_bytes", record(Path("runs/small"))["setup"]["metrics"]["memory_bytes"]),
        "deploy": ("smoke_questions", 2),
        "monitor": ("requests", 2),
    }
    name, value = figures[stage]
    assert found[name] == value


def test_prove_gives_all_seven(looked) -> None:
    called = sevenfold("prove", "small", "--json")
    assert called.code == 0, called.err
    assert [proof["name"] for proof in called.json["proofs"]] == list(SEVEN)
    for proof in called.json["proofs"]:
        assert proof["passed"] is True
        assert 0 <= proof["figure"] <= proof["limit"]
        assert proof["unit"]
    assert called.err.count("proved ") == 7


def test_plan_gives_bytes_by_part(looked) -> None:
    found = sevenfold("plan", "small.yaml", "--json").json
    assert sum(found["bytes"].values()) == found["total_bytes"] > 0
    assert {"weights", "gradients", "optimizer", "activations"} <= found["bytes"].keys()
    assert found["seconds"] > 0
    assert found["fits"] is True


def test_preview_gives_tokens_and_what_is_learnt(looked) -> None:
    called = sevenfold("preview", "small.yaml", "--rows", "2", "--json")
    assert len(called.json["rows"]) == 2
    text = json.dumps(called.json, ensure_ascii=False)
    assert "rows.jsonl:" in text


def test_preview_without_json_shows_text(looked) -> None:
    called = sevenfold("preview", "small.yaml", "--rows", "1")
    assert (called.code, called.out) == (0, "")
    assert "rows.jsonl:" in called.err


def test_show_gives_the_record(looked) -> None:
    found = sevenfold("show", "small", "--json").json
    assert found["stages"] == record(Path("runs/small"))
    said = sevenfold("show", "small")
    assert said.out == ""
    assert "proved" in said.err


def test_doctor_gives_findings() -> None:
    called = sevenfold("doctor", "--json")
    states = {finding["state"] for finding in called.json["findings"]}
    assert called.code == (1 if "bad" in states else 0)
    assert all(finding["what"] for finding in called.json["findings"])


@pytest.mark.parametrize("words", [("schema",), ("schema", "--json")])
def test_schema_gives_the_recipes_schema(words) -> None:
    assert sevenfold(*words).json["title"] == "Recipe"


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (("run", "nowhere.yaml"), "RecipeError"),
        (("show", "nowhere"), "RecipeError"),
        (("serve", "nowhere"), "RecipeError"),
        (("tune", "small.yaml", "--set", "tune.bacth=1"), "RecipeError"),
    ],
)
def test_an_error_is_one_object_too(looked, words, kind) -> None:
    called = sevenfold(*words, "--json")
    assert called.code == 2
    assert called.json["kind"] == kind
    assert called.json["error"] in called.err
    assert "Traceback" not in called.err


@pytest.mark.parametrize(
    "words", [("tune",), ("tune", "small.yaml", "--nonsense"), ("nonsense",), ("preview", "--rows", "x")]
)
def test_a_wrong_call_is_one_object_too(looked, words) -> None:
    called = sevenfold(*words, "--json")
    assert called.code == 2
    assert called.json["error"]
    assert "Usage" in called.err


def test_text_output_is_tables_on_standard_error(looked) -> None:
    called = sevenfold("evaluate", "small.yaml")
    assert called.out == ""
    assert "base against tuned" in called.err


def test_a_program_error_is_not_hidden(looked, monkeypatch) -> None:
    from sevenfold.pipeline import Run

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Run, "up_to", broken)
    with pytest.raises(ZeroDivisionError):
        sevenfold("tune", "small.yaml")
