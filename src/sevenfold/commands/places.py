"""Where a recipe and its run are, by the name that stands on the command line."""

from __future__ import annotations

from pathlib import Path

from sevenfold.errors import RecipeError
from sevenfold.recipe import Recipe


def read_recipe(name: str, overrides: list[str] | None, runs: Path) -> tuple[Recipe, Path]:
    """A recipe file, or the recipe that a run wrote down; with the folder that holds its run."""
    folder = kept_run(name, runs)
    if folder is None:
        return Recipe.from_file(name, overrides or ()), runs
    # A run's folder may have been moved and renamed.
    recipe = Recipe.from_file(folder / "recipe.yaml", overrides or ())
    return recipe.model_copy(update={"name": folder.name}), folder.parent


def kept_run(name: str, runs: Path) -> Path | None:
    """The folder of a run that wrote its recipe down, by its name or path."""
    places = (runs / name, Path(name).resolve())
    return next((folder for folder in places if (folder / "recipe.yaml").is_file()), None)


def run_folder(name: str, runs: Path) -> Path:
    """The folder of a run by its name or path.

    Raises:
        RecipeError: There is no such run; those that exist are listed.
    """
    for folder in (runs / name, Path(name)):
        if (folder / "record.json").is_file():
            return folder
    there = sorted(path.parent.name for path in runs.glob("*/record.json"))
    raise RecipeError(f"there is no run {name!r}", value=name, alternatives=there, next_step="sevenfold run RECIPE")
