"""The recipes of the page on safety are read, and its tables name what there is."""

from pathlib import Path

import pytest
import yaml

from sevenfold.evaluate.public_sets import SETS
from sevenfold.evaluate.safety import DIMENSIONS
from sevenfold.evaluate.section import EvaluateSection

PAGE = (Path(__file__).parents[3] / "docs" / "safety.md").read_text(encoding="utf-8")
RECIPES = [part.partition("```")[0] for part in PAGE.split("```yaml\n")[1:]]


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_of_the_page_is_read(recipe):
    assert len(EvaluateSection(**yaml.safe_load(recipe)["evaluate"]).checks) == 4


def test_every_dimension_figure_and_set_stands_on_the_page():
    for name in DIMENSIONS.names():
        (line,) = [line for line in PAGE.splitlines() if line.startswith(f"| {name} |")]
        assert all(f"`{figure.name}`" in line for figure in DIMENSIONS.find(name)().figures())
    assert all(f"`{name}`" in PAGE for name in SETS.names())
