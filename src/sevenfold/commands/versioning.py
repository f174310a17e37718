"""The commands ``versions`` and ``restore``: the datasets that a run has prepared, and going back to one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sevenfold.console import Console
from sevenfold.errors import RecipeError
from sevenfold.pipeline import STAGE_FILE, Run, stage_named
from sevenfold.prepare.version import VERSION_FILE
from sevenfold.recipe import Recipe
from sevenfold.record import RESULT_FILE, Record, StageRecord, set_aside, write_text

DIGITS = 12
"""Digits of an identity that are shown; fewer do where they name one dataset alone."""
STAGE = stage_named("prepare")


@dataclass(frozen=True)
class Version:
    """One dataset of a run.

    Args:
        folder: Where it lies.
        current: Whether the run holds it now.
        kept: What the folder's stage file says.
        facts: What its version file says: :mod:`sevenfold.prepare.version`.
        reused: Whether the next run goes on with it as it is: its sources and the code are as they were.
    """

    folder: Path
    current: bool
    kept: StageRecord
    facts: dict[str, Any]
    reused: bool = True

    @property
    def content(self) -> str:
        """The dataset's identity."""
        return str(self.facts["content"])

    def as_json(self) -> dict[str, Any]:
        """The object of ``--json``."""
        return {
            **self.facts,
            "folder": str(self.folder),
            "parent_folder": self.facts.get("folder"),
            "current": self.current,
            "started": self.kept.started,
            "splits": self.kept.metrics.get("splits", {}),
            "reused": self.reused,
        }

    def line(self) -> tuple[str, ...]:
        """The version in a table."""
        rows = f"{self.kept.metrics.get('rows', 0):,}"
        place = "now" if self.current else "history"
        return self.content[:DIGITS], place, self.kept.started[:16], rows, changes(self.facts)


def changes(facts: dict[str, Any]) -> str:
    """What became of the rows of the dataset before."""
    rows = facts.get("rows", {})
    said = [f"{rows[name]:,} {name}" for name in ("added", "removed", "changed", "moved") if rows.get(name)]
    return ", ".join(said) if said or not facts["parent"] else "the same rows"


def versions(folder: Path) -> list[Version]:
    """The whole datasets of a run, the first prepared first.

    Args:
        folder: The run.
    """
    current = STAGE.folder(folder)
    places = [current, *sorted((folder / "history").glob(f"{current.name}-*"))]
    whole = [
        place for place in places if all((place / name).is_file() for name in (STAGE_FILE, VERSION_FILE, RESULT_FILE))
    ]
    found = [
        Version(
            place,
            place == current,
            StageRecord.model_validate_json((place / STAGE_FILE).read_text(encoding="utf-8")),
            json.loads((place / VERSION_FILE).read_text(encoding="utf-8")),
        )
        for place in whole
    ]
    return sorted((one for one in found if one.kept.state == "done"), key=lambda one: (one.kept.started, one.current))


def restore(folder: Path, digits: str) -> Version:
    """Put an earlier dataset in the place of the present one, which goes into the history.

    Args:
        folder: The run.
        digits: The first digits of the dataset's identity.

    Raises:
        RecipeError: No dataset of the run, or several, have such an identity.
        MachineError: Another process works on the run.
    """
    record = Record.open(folder)
    with record.locked():
        wanted = chosen(versions(folder), digits, record.name)
        current = STAGE.folder(folder)
        if not wanted.current:
            here = current / STAGE_FILE
            if here.is_file():
                set_aside(current, StageRecord.model_validate_json(here.read_text(encoding="utf-8")).identity)
            wanted.folder.rename(current)
            record.stages[STAGE.name] = wanted.kept
            record.write()
        recipe = with_section(Recipe.from_file(folder / "recipe.yaml"), wanted.kept.section)
        write_text(folder / "recipe.yaml", recipe.to_yaml())
    same = Run(recipe, folder.parent).identity(STAGE) == wanted.kept.identity
    return Version(current, True, wanted.kept, wanted.facts, same)


def chosen(found: list[Version], digits: str, name: str) -> Version:
    """The one version whose identity begins with some digits.

    Raises:
        RecipeError: There is none, or there are several.
    """
    fitting = [version for version in found if digits and version.content.startswith(digits.lower())]
    if len({version.content for version in fitting}) == 1:
        # Another recipe may have given the same dataset; the one that the run holds, or the newest, is as good.
        return max(fitting, key=lambda version: (version.current, version.kept.started))
    problem = "several datasets" if fitting else "no dataset"
    raise RecipeError(
        f"the run {name!r} has {problem} whose identity begins with {digits!r}",
        value=digits,
        alternatives=dict.fromkeys(version.content[:DIGITS] for version in fitting or found),
        next_step=f"sevenfold versions {name}",
    )


def with_section(recipe: Recipe, section: dict[str, Any]) -> Recipe:
    """The recipe with another section for ``prepare``."""
    return recipe.model_copy(update={STAGE.name: type(recipe.section(STAGE.name))(**section)})


def show(found: list[Version], console: Console) -> None:
    """The versions as a table, and the last one's changelog with its first rows."""
    head = ("dataset", "where", "prepared", "rows", "since the one before")
    console.table("versions", head, [version.line() for version in found])
    now = next((version for version in found if version.current), None)
    for kind, rows in (now.facts.get("examples", {}) if now else {}).items():
        for row in rows:
            console.say(f"  {kind}: {row['origin']} ({row['side']}): {row['text']!r}")
    for key, (before, after) in (now.facts.get("settings", {}) if now else {}).items():
        console.say(
            f"  prepare.{key}: {json.dumps(before, ensure_ascii=False)} -> {json.dumps(after, ensure_ascii=False)}"
        )


def show_restored(version: Version, console: Console) -> None:
    """What was put back, and whether the next run goes on with it."""
    console.say(f"{version.folder}: the dataset {version.content[:DIGITS]} of {version.kept.started[:19]}")
    if not version.reused:
        console.warn(
            "its sources or the code have changed since: the next run would prepare anew from what is there now"
        )
