"""The data: what went in, what was dropped and why, how long rows are, where the splits are."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from sevenfold.report import plots
from sevenfold.report.blocks import Cell, Figures, Folded, Part, Plot, Prose, Table
from sevenfold.report.facts import Facts
from sevenfold.report.words import number, plain

SHOWN = 5
"""Leaks that are shown; the others are in the data report."""


def part(facts: Facts) -> Part | None:
    """The data report."""
    report = facts.json("prepare", "report.json")
    if report is None:
        return None
    source = facts.path("prepare", "report.json")
    splits = [(f"{split} rows", number(count)) for split, count in report["splits"].items() if count]
    dropped = sum(report["dropped"].values())
    blocks: list[Any] = [
        Figures(
            [
                ("rows in", number(report["rows_in"])),
                ("rows kept", number(report["rows"])),
                ("dropped", Cell(number(dropped), "unsure" if dropped else "good")),
                *splits,
            ],
            source,
        ),
        Prose(report["advice"].capitalize() + ".", source),
    ]
    if dropped:
        blocks.append(Plot(bars_of(report["dropped"], "rows dropped", "dropped"), dropped_caption(facts), source))
    for key, label in (("prompt", "characters of the prompt"), ("reply", "characters of what is learnt")):
        blocks.append(lengths(report["characters"][key], label, f"length-{key}", source))
    blocks.append(changes(report, source))
    shared = [*overlap(report), *lineage(facts.json("prepare", "version.json") or {})]
    if shared:
        blocks.append(Table(("duplicates, leaks and versions", "what was found"), shared, source, words=True))
    for found in (*report.get("training", []), *report.get("audits", [])):
        blocks += findings(found, source)
    return Part("Data", blocks)


def bars_of(counts: dict[str, int], label: str, name: str) -> Any:
    """Counts by reason, the most frequent first."""
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return plots.bars([plain(reason) for reason, _ in ordered], [count for _, count in ordered], label, name)


def dropped_caption(facts: Facts) -> str:
    """Where the dropped rows are."""
    return f"Rows dropped by reason; the rows themselves are in {facts.path('prepare', 'dropped.jsonl')}."


def lengths(found: dict[str, Any], label: str, name: str, source: str) -> Plot:
    """A histogram of lengths."""
    histogram = found["histogram"]
    caption = (
        f"Median {number(found['median'])}, 95 % below {number(found['p95'])}, longest {number(found['max'])} "
        "characters; the last bar holds all that is longer."
    )
    return Plot(plots.histogram(histogram["edges"], histogram["counts"], label, name), caption, source)


def changes(report: dict[str, Any], source: str) -> Table:
    """Where the rows are from, what was changed in them and how they were split."""
    split = report["split"]
    by = f" by {split['by']}" if split["by"] else ""
    rows = [
        (f"source {origin['name']}", f"{number(origin['rows'])} rows, {origin['format']}")
        for origin in report["sources"]
    ]
    rows += [
        (f"changed by {plain(step)}", f"{number(count)} rows") for step, count in report["changed"].items() if count
    ]
    rows += [
        (f"{plain(step)}: {plain(name)}", number(count))
        for step, figures in report.get("found", {}).items()
        for name, count in figures.items()
    ]
    rows.append(("split", f"{split['how']}{by}, seed {split['seed']}"))
    return Table(("what", "how much"), rows, source, words=True, half=True)


def findings(found: dict[str, Any], source: str) -> list[Any]:
    """What a change of the training rows did or an audit found: said first, then shown, then what to do."""
    blocks: list[Any] = [Prose(f"{found['title']}: {found['said']}", source)]
    for place, chart in enumerate(found["charts"]):
        blocks.append(Plot(drawn(chart, f"{found['name']}-{place}"), chart["says"], source))
    for table in found["tables"]:
        head = (table["head"][0] or table["title"], *table["head"][1:])
        lines = [[shown(cell) for cell in line] for line in table["lines"]]
        blocks.append(Folded(table["title"], [Table(head, lines, source, words=True)]))
    blocks += [Prose(advice, source, "unsure") for advice in found["advice"]]
    return blocks


def drawn(chart: dict[str, Any], name: str) -> Markup:
    """The picture of a chart."""
    if chart["kind"] == "bars":
        return plots.bars([str(label) for label in chart["names"]], chart["values"], chart["label"], name)
    if chart["kind"] == "histogram":
        return plots.histogram(chart["names"], chart["values"], chart["label"], name)
    return plots.small_curve(chart["names"], chart["values"], chart["label"], name)


def shown(cell: str | float) -> str:
    """A cell of a table."""
    return cell if isinstance(cell, str) else number(cell)


def overlap(report: dict[str, Any]) -> list[tuple[str, str]]:
    """Near-duplicates and leaks, where they were sought."""
    near, leaks, rows = report.get("near_duplicates"), report.get("leaks"), []
    if near:
        clusters = f"{number(near['rows'])} rows in {number(near['clusters'])} clusters"
        rows.append(("near-duplicates", f"{clusters}, {number(near['dropped'])} dropped; no split parts a cluster"))
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
