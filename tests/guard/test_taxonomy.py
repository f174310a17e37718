"""Taxonomies: what comes along is whole, and a user's changes do what they say."""

from __future__ import annotations

import pytest

from sevenfold.errors import RecipeError
from sevenfold.guard.forms import FORMS
from sevenfold.guard.taxonomy import Changes, changed, names, read

SIZES = {
    "llama_guard": 6,
    "llama_guard_2": 11,
    "llama_guard_3": 14,
    "shieldgemma": 4,
    "shieldgemma_guide": 4,
    "wildguard": 13,
}


def test_each_has_its_categories():
    assert {name: len(read(name).categories) for name in names()} == SIZES
    assert all(one.description for name in names() for one in read(name).categories)


def test_each_form_has_a_taxonomy():
    assert {FORMS.find(name).taxonomy for name in FORMS.names()} <= set(names())


def test_llama_guard_3_is_2_with_three_more():
    second = {one.name for one in read("llama_guard_2").categories}
    third = {one.name for one in read("llama_guard_3").categories}
    assert third - second == {"Defamation", "Elections", "Code Interpreter Abuse"}
    assert second < third


def test_changes():
    base = read("llama_guard_3")
    found = changed(
        base,
        Changes(add={"Rumours": "Gossip."}, rename={"S13": "Polls"}, describe={"S1": "Blows."}, remove=("S14", "S2")),
    )
    ids = found.by_id
    assert "S2" not in ids
    assert "S14" not in ids
    assert ids["S13"].name == "Polls"
    assert ids["S1"].description == "Blows."
    # The id of what was removed means something else to the model.
    assert ids["S15"].name == "Rumours"
    assert len(base.categories) == 14


def test_a_taxonomy_without_numbers_takes_names():
    assert changed(read("shieldgemma"), Changes(add={"No Spam": "be spam"})).by_id["No Spam"].description == "be spam"


@pytest.mark.parametrize("change", [{"rename": {"S99": "x"}}, {"describe": {"S99": "x"}}, {"remove": ("S99",)}])
def test_a_change_of_nothing_is_an_error(change):
    with pytest.raises(RecipeError, match="no category 'S99'"):
        changed(read("llama_guard_3"), Changes(**change))


def test_something_must_be_left():
    with pytest.raises(RecipeError, match="every category"):
        changed(read("shieldgemma"), Changes(remove=("dangerous", "harassment", "hate", "sexual")))


def test_a_file_of_the_users(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("name: mine\ncategories:\n  - {id: A, name: Spam, description: Ads.}\n", encoding="utf-8")
    assert read(str(file)).by_id["A"].name == "Spam"
    file.write_text("name: mine\ncategories:\n  - {id: A, name: B}\n  - {id: A, name: C}\n", encoding="utf-8")
    with pytest.raises(RecipeError, match="twice"):
        read(str(file))
    file.write_text("name: mine\ncategory: []\n", encoding="utf-8")
    with pytest.raises(RecipeError, match="category"):
        read(str(file))
    with pytest.raises(RecipeError) as caught:
        read("llama_guard_4")
    assert caught.value.suggestion == "llama_guard_3" or caught.value.suggestion in names()
