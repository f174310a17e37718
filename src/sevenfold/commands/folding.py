"""The command ``folds``: cross-validation of a recipe, as a table and sentences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sevenfold.console import Console
from sevenfold.recipe import Recipe
from sevenfold.report.words import number, signed


def run(
    name: str,
    overrides: list[str] | None,
    runs: Path,
    asked: dict[str, Any],
    force: bool,
    console: Console,
) -> dict[str, Any]:
    """All folds of a recipe.

    Args:
        name: A recipe file, or a run that used one.
        overrides: The ``--set`` options.
        runs: The folder that holds all runs.
        asked: ``count``, ``leave_one_out``, ``column``, ``rows`` and ``limit``.
        force: Go on when a proof fails.
        console: Where progress goes.

    Raises:
        SevenfoldError: Something has to be mended first.
    """
    from sevenfold.commands import places
    from sevenfold.folds.way import way_of
    from sevenfold.folds.work import Work

    recipe, place = places.read_recipe(name, overrides, runs)

    def recipe_of(settings: list[str]) -> Recipe:
        return places.read_recipe(name, [*(overrides or ()), *settings], runs)[0]

    way = way_of(recipe, asked["count"], asked["leave_one_out"], asked["column"])
    return Work(recipe.name, way, recipe_of, place, asked["rows"], asked["limit"], console, force).run()


def show(found: dict[str, Any], console: Console) -> None:
    """Every metric's line, and the verdict."""
    rows = []
    for name, one in found["metrics"].items():
        pooled = one["pooled"]
        low, high = pooled["interval"]
        rows.append(
            [
                name,
                number(pooled["base"]),
                number(pooled["tuned"]),
                f"{signed(pooled['difference'])} ({signed(low)} to {signed(high)})",
                f"{number(one['tuned']['mean'])} ± {number(one['tuned']['deviation'])}",
                f"{one['ahead']} of {len(found['folds'])}",
            ]
        )
    columns = ["metric", "base", "tuned", "difference", "tuned over folds", "ahead in"]
    console.table(f"{Path(found['folder']).name}, {found['rows']} rows", columns, rows)
    console.say(found["summary"])
    for gap in found["gaps"].values():
        one = gap["tuned"]
        console.say(f"{gap['metric']}: worst group {one['worst']}, best {one['best']}, gap {number(one['gap'])}")
    for name, failure in found["failures"].items():
        console.warn(f"{name}: {failure['problem']}")
    console.say(f"\npage: {Path(found['folder']) / 'folds.html'}")
