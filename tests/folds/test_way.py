"""What is asked for, and what is refused."""

from pathlib import Path

import pytest

from sevenfold.errors import RecipeError
from sevenfold.folds.way import Way, check_number, way_of
from sevenfold.recipe import Recipe


def recipe(how="random"):
    return Recipe.build({"name": "a", "prepare": {"source": "rows.jsonl", "split": {"how": how}}})


@pytest.mark.parametrize(
    ("how", "asked", "way"),
    [
        ("random", (None, False, None), Way("folds", 5, None)),
        ("random", (10, False, "kind"), Way("folds", 10, "kind")),
        ({"folds": {"count": 4, "by": "kind"}}, (None, False, None), Way("folds", 4, "kind")),
        ({"leave_out": "author"}, (None, False, None), Way("leave_out", None, "author")),
        ({"leave_out": "author"}, (3, False, None), Way("folds", 3, None)),
        ("random", (None, True, None), Way("leave_out", None, None)),
    ],
)
def test_what_is_not_said_is_as_the_recipe_splits(how, asked, way):
    assert way_of(recipe(how), *asked) == way


def test_a_rounds_settings_are_a_recipes():
    for way in (Way("folds", 3, "kind"), Way("leave_out", None, "author")):
        text = "name: a\nprepare: {source: rows.jsonl, split: {how: random}}"
        made = Recipe.from_text(text, overrides=way.settings(2, None))
        assert made.prepare.split.how.held_out == 2
        assert made.prepare.split.how.column == way.column
        assert made.evaluate.rows == 1_000_000_000


def test_both_ways_at_once_are_refused():
    with pytest.raises(RecipeError, match="both given"):
        way_of(recipe(), 5, True, None)


def test_too_many_trainings_are_refused_with_what_to_do_instead():
    with pytest.raises(RecipeError, match="means 500 trainings, one for each of the 500 questions") as caught:
        check_number(Way("leave_out"), 500, 100, Path("runs/a"))
    assert "--folds 10" in caught.value.next_step
    check_number(Way("leave_out"), 100, 100, Path("runs/a"))
