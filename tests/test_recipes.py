"""Every shipped recipe for a model of the hub is gone through with a tiny network of its family in its place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from transformers import AutoModelForSequenceClassification

from sevenfold.compare.section import CompareSection
from sevenfold.compare.variants import variants
from sevenfold.tune.methods import METHODS
from tests import tiny, whole

RECIPES = Path("recipes").resolve()
GEMMA = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}"
    "{% endif %}{% for message in messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}"
    "{% endif %}{% set role = 'model' if message['role'] == 'assistant' else message['role'] %}"
    "{{ '<|im_start|>' + role + '\n' + message['content'] | trim + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>model\n' }}{% endif %}"
)
"""As strict as Gemma's own template, in the tiny tokenizer's marks."""
FEW = {
    "prepare.limit": 40,
    "prepare.split": {"validation": 4, "test": 4},
    "setup.threads": 1,
    "tune.batch": 4,
    "tune.steps": 2,
    "tune.epochs": None,
    "tune.max_length": 512,
    "evaluate.rows": 2,
    "evaluate.max_new_tokens": 4,
    "evaluate.resamples": 1000,
    "evaluate.general_text": "none",
    "deploy.export": ["adapter", "merged"],
    "deploy.engine": "transformers",
    "deploy.ask": 1,
}
"""What makes a run short; the task, the cleaning, the method and the metrics stay the recipe's."""


def persian_rows(path: Path) -> Path:
    """Conversations in SlimOrca's layout."""
    things = ["کتاب", "خانه", "درخت", "رود", "شهر"]
    rows = [
        {
            "conversations": [
                {"from": "system", "value": "تو دستیاری هستی که به فارسی پاسخ می‌دهد."},
                {"from": "human", "value": f"{number} جمله دربارهٔ {things[number % 5]} بنویس."},
                {"from": "gpt", "value": f"این یک {things[number % 5]} است. " * (1 + number % 3)},
            ]
        }
        for number in range(60)
    ]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def settings(values: dict) -> list[str]:
    """``--set`` options."""
    return [word for key, value in values.items() for word in ("--set", f"{key}={json.dumps(value)}")]


@pytest.fixture(scope="session")
def tiny_gemma(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny Gemma 2: caps, windows and a template that takes no system turn."""
    import torch
    from transformers import Gemma2Config, Gemma2ForCausalLM

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("gemma")
    config = Gemma2Config(
        vocab_size=400,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=16,
        query_pre_attn_scalar=16,
        sliding_window=32,
        max_position_embeddings=512,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
    )
    Gemma2ForCausalLM(config).save_pretrained(folder)
    tiny.make_tokenizer(folder, GEMMA)
    return folder


@pytest.mark.parametrize(
    ("name", "family"), [("persian-gemma-2-2b", "tiny_gemma"), ("persian-llama-3.2-3b", "tiny_weights")]
)
def test_persian_recipes_are_trained_and_evaluated(name, family, request, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = persian_rows(tmp_path / "rows.jsonl")
    places = {"load.model": str(request.getfixturevalue(family)), "prepare.source": {"jsonl": str(rows)}}
    called = whole.sevenfold("evaluate", RECIPES / f"{name}.yaml", *settings({**places, **FEW}), "--json")
    assert called.code == 0, called.err
    stages = whole.record(tmp_path / "runs" / name)
    assert stages["prepare"]["metrics"]["splits"] == {"train": 32, "validation": 4, "test": 4}
    assert all(proof["passed"] for proof in called.json["proofs"])
    folded = stages["prepare"]["metrics"]["changed"].get("fold_system")
    assert folded == (60 if "gemma" in name else None)


def test_gemma_refuses_the_rows_whose_system_turns_are_not_folded(tiny_gemma, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = persian_rows(tmp_path / "rows.jsonl")
    places = {"load.model": str(tiny_gemma), "prepare.source": {"jsonl": str(rows)}, "prepare.clean": ["unicode"]}
    called = whole.sevenfold("tune", RECIPES / "persian-gemma-2-2b.yaml", *settings({**places, **FEW}))
    assert called.code == 2
    assert "System role not supported" in called.err


def test_the_plan_is_made_without_training(tiny_gemma, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    places = {"load.model": str(tiny_gemma), "prepare.source": {"jsonl": str(persian_rows(tmp_path / "rows.jsonl"))}}
    called = whole.sevenfold(
        "plan", RECIPES / "persian-gemma-2-2b.yaml", "--no-measure", *settings({**places, **FEW}), "--json"
    )
    assert called.code == 0, called.err
    assert called.json["fits"]


def test_without_the_rows_the_recipe_says_which_file_is_missing(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    called = whole.sevenfold("prepare", RECIPES / "persian-gemma-2-2b.yaml")
    assert called.code == 2
    assert "slimorca-fa-50k.jsonl" in called.err


def test_the_cldr_recipe_goes_through_all_stages(tiny_weights, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    values = {**FEW, "load.model": str(tiny_weights), "prepare.split.validation": 4, "prepare.split.test": 8}
    values["prepare.source.cldr.count"] = 240
    del values["prepare.split"], values["prepare.limit"]
    called = whole.sevenfold("run", RECIPES / "cldr-fa.yaml", *settings(values), "--json")
    assert called.code == 0, called.err
    splits = whole.record(tmp_path / "runs" / "cldr-fa")["prepare"]["metrics"]["splits"]
    assert splits == {"train": 228, "validation": 4, "test": 8}


def test_both_comparisons_compare_the_same_methods() -> None:
    english, persian = (
        yaml.safe_load((RECIPES / f"{name}.yaml").read_text()) for name in ("compare-methods", "compare-methods-fa")
    )
    assert persian["recipe"] == "cldr-fa.yaml"
    # Only how much each trains differs.
    of_its_own = {"name": "", "recipe": "", "set": {}, "search": {}}
    assert {**persian, **of_its_own} == {**english, **of_its_own}
    assert persian["search"]["over"] == english["search"]["over"]


def test_the_comparisons_leave_no_method_out() -> None:
    """But those that need adapters of other runs, or that run one of the others."""
    chosen = {
        METHODS.name_of(variant.recipe(variant.candidates[0]).tune.method)
        for name in ("compare-methods", "compare-methods-more")
        for variant in variants(CompareSection.from_file(RECIPES / f"{name}.yaml"))
    }
    trained = {name for name in METHODS.names() if METHODS.find(name).trains}
    assert trained - chosen == {"fusion", "peft", "several"}


def test_every_variant_of_the_persian_comparison_is_a_recipe() -> None:
    found = variants(CompareSection.from_file(RECIPES / "compare-methods-fa.yaml"))
    assert {"lora", "full", "first-2-last-2"} <= {variant.name for variant in found}
    for variant in found:
        assert variant.recipe(variant.candidates[0]).prepare.source[0].languages == ("en", "fa")


def test_the_recipe_of_pairs_is_run(tiny_weights, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    values = {**FEW, "load.model": str(tiny_weights), "prepare.split.validation": 4, "prepare.split.test": 8}
    values |= {"prepare.source.cldr.count": 400, "evaluate.rows": 8}
    del values["prepare.split"], values["prepare.limit"]
    called = whole.sevenfold("run", RECIPES / "dpo.yaml", *settings(values), "--json")
    assert called.code == 0, called.err
    stages = whole.record(tmp_path / "runs" / "dpo")
    assert stages["prepare"]["metrics"]["splits"]["test"] == 8
    assert stages["evaluate"]["metrics"]["metrics"]["pair_accuracy"]["rows"] == 8
    # Before the first step no answer has become likelier than it was at the start.
    assert stages["tune"]["metrics"]["validation_losses"]["0"] == pytest.approx(0.693, abs=1e-3)


def test_every_objective_of_the_comparison_is_a_recipe() -> None:
    found = variants(CompareSection.from_file(RECIPES / "compare-preferences.yaml"))
    assert {"sft", "dpo", "dpo-ipo", "kto", "orpo", "simpo"} <= {variant.name for variant in found}
    for variant in found:
        assert variant.recipe(variant.candidates[0]).prepare.source[0].rejected


def test_a_reward_model_goes_through_all_stages(tiny_weights, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    values = {**FEW, "load.model": str(tiny_weights), "prepare.split.validation": 4, "prepare.split.test": 8}
    values |= {"prepare.source.cldr.count": 400, "evaluate.rows": 8}
    values |= {"tune.objective": "reward", "evaluate.metrics": ["pair_accuracy"]}
    del values["prepare.split"], values["prepare.limit"]
    called = whole.sevenfold("run", RECIPES / "dpo.yaml", *settings(values), "--json")
    assert called.code == 0, called.err
    assert all(proof["passed"] for proof in called.json["proofs"])
    stages = whole.record(tmp_path / "runs" / "dpo")
    assert set(stages["evaluate"]["metrics"]["metrics"]) == {"pair_accuracy"}
    place = next((tmp_path / "runs" / "dpo" / "6-deploy").rglob("merged"))
    opened = AutoModelForSequenceClassification.from_pretrained(place)
    assert opened.config.num_labels == 1
