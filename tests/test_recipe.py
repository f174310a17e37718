"""Recipes: strict, located, with the origin of every value."""

from __future__ import annotations

from pathlib import Path

import pytest

from sevenfold.errors import RecipeError
from sevenfold.recipe import Recipe

SHORT = """\
name: demo
prepare:
  source: {jsonl: rows.jsonl}
tune:
  method: {lora: {rank: 4}}
  learning_rate: 2.0e-4
"""


def test_defaults_are_written_out_and_origins_are_known() -> None:
    recipe = Recipe.from_text(SHORT, "demo.yaml", ["tune.batch=2"])
    assert recipe.tune.batch == 2
    assert recipe.origins("tune")["method"] == "demo.yaml:5"
    assert recipe.origins("tune")["batch"] == "--set tune.batch=2"
    assert recipe.origins("tune")["clip"] == "default"
    assert Recipe.from_text(recipe.to_yaml()).to_yaml() == recipe.to_yaml()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: x\nprepare: {source: {jsonl: a}}\ntune:\n  bacth: 3\n", "unknown key 'tune.bacth'"),
        ("name: x\nprepare: {source: {jsonl: a}}\ntune:\n  bacth: 3\n", "did you mean: batch"),
        ("name: x\nprepare: {source: {jsonl: a}}\ntune:\n  bacth: 3\n", "where: bad.yaml:4"),
        ("name: x\nprepare: {source: {jsonl: a}}\ntune:\n  batch: many\n", "tune.batch = 'many'"),
        ("name: x\nprepare: {source: {jsonl: a}}\ntune:\n  method: loar\n", "did you mean: lora"),
        ("name: x\nprepare: {source: {jsonl: a}}\ntune:\n  method: {lora: {rnak: 3}}\n", "did you mean: rank"),
        ("name: x\nprepare: {source: {jsonl: a}}\ntune:\n  method: {lora: {rank: 0}}\n", "lora.rank = 0"),
        ("name: x\nprepare: {source: {jsonl: a}}\ntune:\n  method: [lora]\n", "does not choose a method"),
        ("name: x\nprepare: {source: {jsonl: a}}\ntune: {epochs: 1, steps: 2}\n", "both given"),
        ("name: x\nname: y\n", "stands twice"),
        ("name: [", "not YAML"),
        ("- a", "not a mapping"),
        ("prepare: {source: {jsonl: a}}", "'name' is missing"),
    ],
)
def test_mistakes_are_named_and_located(text: str, message: str) -> None:
    with pytest.raises(RecipeError) as caught:
        Recipe.from_text(text, "bad.yaml")
    assert message in str(caught.value)


def test_a_missing_file_lists_recipes_beside_it(tmp_path) -> None:
    (tmp_path / "demo.yaml").write_text(SHORT)
    with pytest.raises(RecipeError, match="did you mean") as caught:
        Recipe.from_file(tmp_path / "dmo.yaml")
    assert str(tmp_path / "demo.yaml") in str(caught.value)


@pytest.mark.parametrize("bad", ["tune.batch", "=3", "tune.batch=[1"])
def test_an_override_that_is_not_key_value_is_refused(bad: str) -> None:
    with pytest.raises(RecipeError, match="--set"):
        Recipe.from_text(SHORT, overrides=[bad])


def test_an_override_reaches_into_a_component_chosen_by_name() -> None:
    text = SHORT.replace("{lora: {rank: 4}}", "lora")
    assert Recipe.from_text(text, overrides=["tune.method.lora.rank=9"]).tune.method.rank == 9  # type: ignore[attr-defined]


def test_an_empty_section_means_its_defaults() -> None:
    assert Recipe.from_text(SHORT + "monitor:\n").to_yaml() == Recipe.from_text(SHORT).to_yaml()


SHIPPED = [path for path in sorted(Path("recipes").glob("*.yaml")) if not path.name.startswith("compare-")]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_recipe_is_valid(path: Path) -> None:
    assert Recipe.from_file(path).name == path.stem


def test_the_json_schema_knows_components_and_refuses_unknown_keys() -> None:
    schema = Recipe.model_json_schema()
    assert schema["additionalProperties"] is False
    method = schema["$defs"]["TuneSection"]["properties"]["method"]
    assert "lora" in method["anyOf"][0]["enum"]


def test_every_field_of_every_section_is_described() -> None:
    for name, stage in Recipe.model_fields.items():
        for field, info in getattr(stage.annotation, "model_fields", {}).items():
            assert info.description, f"{name}.{field} has no description"
