"""The recipe of a guard of one's own is a recipe, and its rows of our own making are whole."""

from __future__ import annotations

from pathlib import Path

import yaml

from sevenfold.guard import GUARDS
from sevenfold.guard.guards.linear import DEFAULT
from sevenfold.guard.head import SAFE, read
from sevenfold.recipe import Recipe


def test_the_recipe_is_read():
    recipe = Recipe.from_file(Path("recipes/guard/guard.yaml"))
    assert recipe.name == "guard"


def test_the_default_knows_the_categories_of_our_rows():
    made = yaml.safe_load(Path("recipes/guard/made.yaml").read_text(encoding="utf-8"))
    categories = {name for kinds in made.values() for name, inner in kinds.items() if "unsafe" in inner}
    assert set(read(DEFAULT).labels) == categories | {SAFE}


def test_each_guard_is_found_by_its_name():
    assert GUARDS.names() == ["classifier", "combined", "linear", "model", "rules"]
    assert all(GUARDS.find(name).__doc__ for name in GUARDS.names())
