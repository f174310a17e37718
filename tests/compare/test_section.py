"""The comparison's file: strict and located; its variants: every combination, named, with readable recipes."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from sevenfold.compare.section import CompareSection, written
from sevenfold.compare.variants import plain_name, variants
from sevenfold.errors import RecipeError

RECIPE = "name: small\nprepare: {source: {jsonl: rows.jsonl}}\ntune: {method: {lora: {rank: 4}}, epochs: 1}\n"
SHIPPED = sorted(Path("recipes").glob("compare-*.yaml"))


@pytest.fixture
def read(tmp_path):
    (tmp_path / "small.yaml").write_text(RECIPE)

    def read_text(text: str, *overrides: str) -> CompareSection:
        (tmp_path / "ways.yaml").write_text(text)
        return CompareSection.from_file(tmp_path / "ways.yaml", overrides)

    return read_text


def ways(methods: str = "[lora, full]", more: str = "") -> str:
    return f"name: ways\nrecipe: small.yaml\nvary: {{tune.method: {methods}}}\n{more}"


def test_axes_make_their_product_and_values_bring_their_own_settings(read) -> None:
    methods = "[{lora: {rank: 2}}, {value: full, set: {tune.clip: 2.0}, over: {tune.learning_rate: [1e-5]}}]"
    text = ways(methods, "search: {over: {tune.learning_rate: [1e-4, 0.001]}, steps: 5}\nset: {tune.epochs: 2}\n")
    text = text.replace("}\nsearch", ", tune.batch: [2, 4]}\nsearch", 1)
    found = variants(read(text, "tune.max_length=64"))
    assert [one.name for one in found] == [
        "lora-rank-2_batch-2",
        "lora-rank-2_batch-4",
        "full_batch-2",
        "full_batch-4",
    ]
    assert [len(one.candidates) for one in found] == [2, 2, 1, 1]
    # YAML 1.1 reads 1e-4 as text; it is meant as a number.
    assert found[0].candidates == ({"tune.learning_rate": 1e-4}, {"tune.learning_rate": 1e-3})
    recipe = found[3].recipe(found[3].candidates[0])
    assert (recipe.name, recipe.tune.batch, recipe.tune.clip, recipe.tune.learning_rate) == ("full_batch-4", 4, 2, 1e-5)
    assert (recipe.tune.epochs, recipe.tune.max_length) == (2, 64)
    assert recipe.origins("tune")["method"] == "--set tune.method=full"
    trial = found[0].trial(found[0].candidates[1])
    assert trial.name == trial.recipe.name == "learning_rate-0.001"
    assert (trial.recipe.tune.steps, trial.recipe.tune.epochs, trial.recipe.tune.method.rank) == (5, None, 2)


def test_the_command_line_changes_the_recipe_and_the_file_itself(read) -> None:
    text = ways(more="search: {over: {tune.learning_rate: [0.1, 0.2]}}\n")
    section = read(text, "search.steps=3", "tune.batch=1", "judge=chrf", "name=other")
    assert (section.search.steps, section.judge, section.name) == (3, "chrf", "other")
    assert all(one.recipe({}).tune.batch == 1 for one in variants(section))
    assert variants(section)[0].steps == 3


def test_the_command_of_a_variant_makes_its_recipe(read, tmp_path) -> None:
    import shlex

    from sevenfold.recipe import Recipe

    text = ways("[{layers: {first: 1, last: 1}}]", "search: {over: {tune.learning_rate: [1.0e-5]}}\n")
    (one,) = variants(read(text))
    words = shlex.split(one.command(one.candidates[0], Path("runs/ways")))
    assert words[:3] == ["sevenfold", "evaluate", str(tmp_path / "small.yaml")]
    assert words[-2:] == ["--runs", "runs/ways"]
    settings = [after for before, after in pairwise(words) if before == "--set"]
    made = Recipe.from_file(words[2], settings)
    assert made.to_yaml() == one.recipe(one.candidates[0]).to_yaml()
    assert made.tune.learning_rate == 1e-5


@pytest.mark.parametrize(
    ("key", "value", "name"),
    [
        ("tune.method", "lora", "lora"),
        ("tune.method", {"layers": {"first": 2, "last": 2}}, "layers-first-2-last-2"),
        ("tune.method", {"file": "own/method.py"}, "file-own-method.py"),
        ("tune.learning_rate", 1e-4, "learning_rate-0.0001"),
        ("tune.engine.compile", True, "compile-True"),
        ("load.model", "/models/سلام", "models"),
        ("tune.steps", None, "steps"),
    ],
)
def test_names_are_the_values_as_folders_can_be_called(key, value, name) -> None:
    assert plain_name(key, value) == name


@pytest.mark.parametrize("value", [1e-5, "lora", None, {"lora": {"rank": 4}}, ["loss", {"chrf": {"words": 2}}], "سلام"])
def test_a_written_value_is_read_back(value) -> None:
    key, _, text = written("a.b", value).partition("=")
    assert key == "a.b"
    assert yaml.safe_load(text) == value
    assert "\n" not in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (ways(more="vray: 1\n"), "unknown key 'vray'"),
        (ways(more="vray: 1\n"), "where: FOLDER/ways.yaml:4"),
        (ways("[]"), "the axis tune.method has no values"),
        ("name: ways\nrecipe: small.yaml\nvary: {}\n", "vary"),
        ("name: ways\nvary: {tune.method: [lora]}\n", "'recipe' is missing"),
        (ways("[lora, loar]"), "the variant loar: tune.method: there is no method 'loar'"),
        (ways("[lora, loar]"), "did you mean: lora"),
        (ways("[lora, loar]"), "where: FOLDER/ways.yaml:3"),
        (ways("[lora, lora]"), "two variants would be called 'lora'"),
        (ways("[{value: lora, name: base}]"), "a variant cannot be called 'base'"),
        (ways("[{value: lora, nmae: x}]"), "nmae"),
        (ways(more="search: {over: {tune.method: [full]}}\n"), "tune.method is set in two places"),
        (ways(more="set: {tune.method: full}\n"), "tune.method is set in two places"),
        (ways(more="search: {over: {tune.batch: []}}\n"), "tune.batch has no candidates"),
        (ways(more="search: {over: {tune.bacth: [1]}}\n"), "unknown key 'tune.bacth'"),
        (ways(more="judge: chrff\n"), "did you mean: chrf"),
        (ways(more="cost: money\n"), "cost = 'money'"),
        (ways().replace("small", "smal"), "did you mean"),
        (
            ways(more="set: {prepare.split.validation: 0}\nsearch: {over: {tune.batch: [1, 2]}}\n"),
            "the search needs validation rows",
        ),
        ("name: [", "not YAML"),
        ("- a", "not a mapping"),
        ("name: a\nname: b\n", "stands twice"),
    ],
)
def test_mistakes_are_named_and_located(read, tmp_path, text, message) -> None:
    with pytest.raises(RecipeError) as caught:
        variants(read(text))
    assert message.replace("FOLDER", str(tmp_path)) in str(caught.value)


@pytest.mark.parametrize("override", ["tune.method=lora", "tune.method.lora.rank=3", "tune.learning_rate=1"])
def test_an_override_of_what_varies_is_refused(read, override) -> None:
    text = ways(more="search: {over: {tune.learning_rate: [0.1, 0.2]}}\n")
    with pytest.raises(RecipeError, match="is what this comparison varies or searches"):
        variants(read(text, override))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_comparison_is_valid(path: Path) -> None:
    section = CompareSection.from_file(path)
    assert section.name == path.stem
    assert len(variants(section)) > 1
    # Those of methods search a rate for each.
    assert "methods" not in path.stem or all(len(one.candidates) > 1 for one in variants(section))


def test_every_field_is_described() -> None:
    from sevenfold.compare.section import Search, Value

    for kind in (CompareSection, Search, Value):
        assert all(field.description for field in kind.model_fields.values())
