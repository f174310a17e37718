"""The command ``leaderboard``: every run under a folder in one table, ranked where the same was asked."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from sevenfold.console import Console
from sevenfold.errors import RecipeError
from sevenfold.record import digest, write_text
from sevenfold.report.words import number, signed

RESULT = Path("5-evaluate", "result.json")


def run(folder: Path) -> dict[str, Any]:
    """Every measured run with its figures, and each figure's ranking.

    Args:
        folder: Holds the runs, at any depth.

    Raises:
        RecipeError: No run under the folder was evaluated.
    """
    found = sorted(path.parents[1] for path in folder.rglob(str(RESULT)))
    if not found:
        raise RecipeError(
            f"no run under {str(folder)!r} was evaluated", where=str(folder), next_step="sevenfold evaluate RECIPE"
        )
    runs = {path.relative_to(folder).as_posix(): figures_of(path) for path in found}
    names = list(dict.fromkeys(name for figures in runs.values() for name in figures))
    columns = {name: column(name, runs) for name in names}
    return {"folder": str(folder), "runs": runs, "columns": columns, "notes": notes(columns)}


def figures_of(run: Path) -> dict[str, dict[str, Any]]:
    """A run's figures by name: base, tuned, difference with interval, and the digest of what was asked."""
    result = json.loads((run / RESULT).read_text(encoding="utf-8"))
    rows = rows_digest(run / RESULT.parent / "rows.jsonl")
    found = {name: entry(one, rows) for name, one in result["metrics"].items()}
    if result.get("forgetting"):
        found["forgetting"] = entry(result["forgetting"]["comparison"], general_digest(run, result["forgetting"]))
    for check, one in result.get("checks", {}).items():
        more = one.get("more", {})
        for name, comparison in one["comparisons"].items():
            asked = more.get("digests", {}).get(name.partition(".")[0], more.get("digest"))
            found[f"{check}: {name}"] = entry(comparison, asked)
    return found


def entry(comparison: dict[str, Any], asked: str | None) -> dict[str, Any]:
    """One figure; ``asked`` is None where it is not known what was asked."""
    kept = ("base", "tuned", "difference", "interval", "confidence", "direction", "better", "rows")
    return {name: comparison[name] for name in kept} | {"asked": asked}


def rows_digest(path: Path) -> str | None:
    """The same for the same held-out prompts and references."""
    if not path.is_file():
        return None
    rows = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    return digest([[row["prompt"], row["reference"]] for row in rows])


def general_digest(run: Path, forgetting: dict[str, Any]) -> str | None:
    """The same for the same general text: our own, by its passages; a user's file cannot be told from its name."""
    record = run / "record.json"
    if not record.is_file():
        return None
    stages = json.loads(record.read_text(encoding="utf-8"))["stages"]
    text = stages.get("evaluate", {}).get("section", {}).get("general_text")
    return digest([text, forgetting["passages"]]) if text == "own" else None


def column(name: str, runs: dict[str, dict[str, dict[str, Any]]]) -> dict[str, Any]:
    """Which runs are ranked on a figure, best first, and which were asked something else.

    Equal figures share a place. Of several sets of items, the one that most runs were asked counts.
    """
    asked = Counter(one[name]["asked"] for one in runs.values() if name in one and one[name]["asked"])
    counted = asked.most_common(1)[0][0] if asked else None
    ranked = {run: one[name] for run, one in runs.items() if name in one and counted and one[name]["asked"] == counted}
    places = {run: 1 + sum(ahead(other, one) for other in ranked.values()) for run, one in ranked.items()}
    others = [run for run, one in runs.items() if name in one and run not in ranked]
    return {"ranks": dict(sorted(places.items(), key=lambda pair: pair[1])), "other_items": others}


def ahead(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether one tuned model's figure is better than another's."""
    more = one["tuned"] > other["tuned"]
    return more if one["direction"] == "higher" else one["tuned"] < other["tuned"]


def notes(columns: dict[str, dict[str, Any]]) -> list[str]:
    """A sentence for each figure that not all runs are ranked on."""
    return [
        f"{name}: {', '.join(one['other_items'])} not ranked: measured on other items, or not known on which"
        for name, one in columns.items()
        if one["other_items"]
    ]


def lines(found: dict[str, Any]) -> list[list[str]]:
    """The table's lines: one a figure and run."""
    return [
        [
            name,
            run,
            str(column["ranks"].get(run, "-")),
            number(one["base"]),
            number(one["tuned"]),
            f"{signed(one['difference'])} ({signed(one['interval'][0])} to {signed(one['interval'][1])})",
            {"yes": "better", "no": "worse", "unclear": "not clear"}[one["better"]],
            str(one["rows"]),
        ]
        for name, column in found["columns"].items()
        for run in (*column["ranks"], *column["other_items"])
        for one in (found["runs"][run][name],)
    ]


HEAD = ["figure", "run", "place", "base", "tuned", "tuned less base (interval)", "verdict", "items"]


def markdown(found: dict[str, Any]) -> str:
    """The table as a page of Markdown."""
    rows = [HEAD, ["---"] * len(HEAD), *lines(found)]
    body = "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)
    return "\n".join(["# Leaderboard", "", body, "", *(f"- {note}" for note in found["notes"])]).rstrip() + "\n"


def show(found: dict[str, Any], console: Console) -> None:
    """The table, and what is not ranked."""
    console.table(f"leaderboard of {found['folder']}", HEAD, lines(found))
    for note in found["notes"]:
        console.say(note)


def save(found: dict[str, Any], path: Path) -> None:
    """Write the page."""
    write_text(path, markdown(found))
