"""The data, for someone who does not code: what came, what went and why, what is left, and whether it is enough."""

from __future__ import annotations

from typing import Any

from sevenfold.report import plots
from sevenfold.report.blocks import Cell, Figures, Heading, Part, Plot, Table
from sevenfold.report.facts import Facts
from sevenfold.report.parts.data import changes, summary
from sevenfold.report.parts.data.found import findings, looks
from sevenfold.report.words import number, plain

SHOWN = 5
"""Leaks that are shown; the others are in the data report."""


def part(facts: Facts) -> Part | None:
    """The data report."""
    report = facts.json("prepare", "report.json")
    if report is None:
        return None
    source = facts.path("prepare", "report.json")
    tokens = facts.tokens
    found = [*([tokens] if tokens else []), *report.get("training", []), *report.get("audits", [])]
    blocks: list[Any] = [
        summary.summary(report, looks(found), source),
        summary.flow(report, source),
        figures(report, source),
        summary.advice(report, source),
    ]
    blocks += under("What was changed", changes.changed(report, source))
    blocks += under("What was dropped", changes.dropped(facts, report, source))
    blocks += under("How long the rows are", lengths(report, source))
    blocks += under("Where the rows are from, and what was found in them", [origin(report, source)])
    shared = [*overlap(report), *lineage(facts.json("prepare", "version.json") or {})]
    if shared:
        blocks.append(Table(("duplicates, leaks and versions", "what was found"), shared, source, words=True))
    for one in found:
        place = facts.TOKENS_FILE if one is tokens else source
        blocks += under(one["title"], findings(one, place))
    return Part("Data", blocks)


def under(title: str, blocks: list[Any]) -> list[Any]:
    """Blocks with a heading, where there are some."""
    return [Heading(title), *blocks] if blocks else []


def figures(report: dict[str, Any], source: str) -> Figures:
    """The rows in numbers."""
    dropped, made = sum(report["dropped"].values()), sum(report.get("made", {}).values())
    splits = [(f"{split} rows", number(count)) for split, count in report["splits"].items() if count]
    items: list[tuple[str, Cell | str]] = [
        ("rows in", number(report["rows_in"])),
        ("rows used", number(report["rows"])),
        ("dropped", Cell(number(dropped), "unsure" if dropped else "good")),
        *([("made", number(made))] if made else []),
        *splits,
    ]
    return Figures(items, source)


def lengths(report: dict[str, Any], source: str) -> list[Plot]:
    """Histograms of characters."""
    labels = (("prompt", "characters of the prompt"), ("reply", "characters of what is learnt"))
    return [length(report["characters"][key], label, f"length-{key}", source) for key, label in labels]


def length(found: dict[str, Any], label: str, name: str, source: str) -> Plot:
    """A histogram of lengths."""
    histogram = found["histogram"]
    caption = (
        f"Median {number(found['median'])}, 95 % below {number(found['p95'])}, longest {number(found['max'])} "
        "characters; the last bar holds all that is longer."
    )
    return Plot(plots.histogram(histogram["edges"], histogram["counts"], label, name), caption, source)


def origin(report: dict[str, Any], source: str) -> Table:
    """Where the rows are from, what steps found in them and how they were split."""
    split = report["split"]
    by = f" by {split['by']}" if split["by"] else ""
    rows = [(f"source {one['name']}", f"{number(one['rows'])} rows, {one['format']}") for one in report["sources"]]
    rows += [
        (f"{plain(step)}: {plain(name)}", number(count))
        for step, figures in report.get("found", {}).items()
        for name, count in figures.items()
    ]
    rows.append(("split", f"{split['how']}{by}, seed {split['seed']}"))
    return Table(("what", "how much"), rows, source, words=True)


def overlap(report: dict[str, Any]) -> list[tuple[str, str]]:
    """Duplicates and leaks, where they were sought."""
    leaks, rows = report.get("leaks"), []
    for kind in ("near_duplicates", "semantic_duplicates"):
        if alike := report.get(kind):
            clusters = f"{number(alike['rows'])} rows in {number(alike['clusters'])} clusters"
            rows.append((plain(kind), f"{clusters}, {number(alike['dropped'])} dropped; no split parts a cluster"))
    if leaks:
        rows.append(("leaks", f"{number(leaks['rows'])} training rows shared text with what is held out; removed"))
        rows += [(f"leak at {one['origin']}", f"{one['of']}: {one['words']}") for one in leaks["examples"][:SHOWN]]
    return rows


def lineage(version: dict[str, Any]) -> list[tuple[str, str]]:
    """What became of the rows of the dataset before, where there was one."""
    if not version.get("parent"):
        return []
    counts = version["rows"]
    said = ", ".join(f"{number(counts[name])} {name}" for name in ("kept", "added", "removed", "changed", "moved"))
    return [(f"since the dataset {version['parent'][:12]}", f"rows: {said}")]
