"""The page of a comparison: the verdict, the table, the curves and the answers, in one file like a run's report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sevenfold.compare import figures, parts
from sevenfold.record import write_json, write_text
from sevenfold.report.page import html
from sevenfold.report.parts.verdict import Answer, Top

PAGE_FILE, JSON_FILE = "comparison.html", "comparison.json"


def write(told: dict[str, Any], folder: Path) -> Path:
    """Write ``comparison.json`` and the page beside it; gives the page's path.

    Args:
        told: The comparison, of :func:`sevenfold.compare.told.comparison`.
        folder: Where the comparison and its runs lie.

    Raises:
        MachineError: The folder cannot be written.
    """
    write_json(folder / JSON_FILE, told)
    write_text(folder / PAGE_FILE, render(told, folder))
    return folder / PAGE_FILE


def render(told: dict[str, Any], folder: Path) -> str:
    """The page's HTML."""
    done = [one for one in told["variants"] if one["state"] == "done"]
    rows = {one["name"]: figures.rows(folder / one["name"]) for one in done}
    curves = {one["name"]: figures.tuned(folder / one["name"]) for one in done}
    made = [
        parts.table(told, JSON_FILE),
        parts.training(curves, told, JSON_FILE),
        parts.between(told, JSON_FILE),
        parts.search(told, JSON_FILE),
        parts.samples(told, rows),
        parts.variants(told, JSON_FILE),
    ]
    return html("comparison", told["name"], "", top(told), [part for part in made if part is not None])


def top(told: dict[str, Any]) -> Top:
    """The verdict, why, and what would change it."""
    found = told["verdict"]
    answers = [
        Answer("Why?", found["reasons"], JSON_FILE),
        Answer("What would change it?", found["changes"], JSON_FILE),
    ]
    failed = [f"{one['name']}: {one['failure']['problem']}" for one in told["variants"] if one["failure"]]
    if failed:
        answers.append(Answer("What could not be run?", failed, JSON_FILE))
    return Top(found["word"], found["tone"], found["summary"], [answer for answer in answers if answer.lines])
