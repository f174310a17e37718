"""The shipped comparison of remedies: every variant is a recipe, and its rows are there."""

from __future__ import annotations

from pathlib import Path

from sevenfold.compare.section import CompareSection
from sevenfold.compare.variants import variants
from sevenfold.tune.beside import TERMS

RECIPES = Path(__file__).parents[3] / "recipes"


def test_every_variant_is_a_recipe_and_every_remedy_stands_in_one() -> None:
    found = {
        variant.name: variant.recipe({})
        for variant in variants(CompareSection.from_file(RECIPES / "compare-forgetting.yaml"))
    }
    terms = {TERMS.name_of(term) for recipe in found.values() for term in recipe.tune.beside}
    assert terms == set(TERMS.names()) - {"fairness"}
    assert found["nothing"].tune.beside == []
    assert found["dropout"].tune.dropout
    assert found["early-stop"].tune.patience
    assert all(recipe.tune.outside() is not None for recipe in found.values())
