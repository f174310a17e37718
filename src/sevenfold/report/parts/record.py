"""The record: stages, notes, the resolved recipe with the origin of each value, machine and versions."""

from __future__ import annotations

import json
from typing import Any

from sevenfold.report.blocks import Cell, Folded, Part, Table
from sevenfold.report.facts import ORDER, RECORD_FILE, Facts
from sevenfold.report.words import duration, number

TONES = {"done": "good", "failed": "bad", "running": "unsure"}


def part(facts: Facts) -> Part:
    """What went in and how it went."""
    blocks: list[Any] = [stages(facts)]
    notes = [(stage.name, note) for stage in facts.stages for note in stage.notes]
    if notes:
        blocks.append(Folded(f"{len(notes)} notes", [Table(("stage", "note"), notes, RECORD_FILE, words=True)]))
    blocks.append(Folded("The recipe with every default and where each value is from", [recipe(facts)]))
    machine = (facts.json("setup") or {}).get("machine") or {}
    if machine:
        rows = [(key, number(value)) for key, value in flat(machine)]
        source = facts.path("setup", "result.json")
        blocks.append(Folded("Machine and versions", [Table(("fact", "value"), rows, source, words=True)]))
    return Part("Record", blocks)


def stages(facts: Facts) -> Table:
    """The stages with their times."""
    stale = facts.stale
    rows = [
        (
            stage.name,
            Cell("older inputs" if stage.name in stale else stage.state, TONES.get(stage.state, "")),
            duration(stage.seconds),
            stage.started,
            stage.identity[:12],
        )
        for stage in facts.stages
    ]
    return Table(("stage", "state", "time", "started (UTC)", "identity"), rows, RECORD_FILE, words=True)


def recipe(facts: Facts) -> Table:
    """Every value of the recipe with its origin."""
    rows = []
    for stage in ORDER:
        origins = facts.recipe.origins(stage)
        values = facts.recipe.section(stage).model_dump(mode="json")
        rows += [(f"{stage}.{key}", text_of(value), origins.get(key, "")) for key, value in values.items()]
    return Table(("key", "value", "origin"), rows, "recipe.yaml", words=True)


def text_of(value: Any) -> str:
    """A recipe's value as it would be written."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def flat(values: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Nested mappings as dotted keys; lists as text."""
    found: list[tuple[str, Any]] = []
    for key, value in values.items():
        if isinstance(value, dict):
            found += flat(value, f"{prefix}{key}.")
        else:
            found.append(
                (f"{prefix}{key}", json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value)
            )
    return found
