"""What both models were asked beside the held-out rows: the figures of each check, whatever it is about."""

from __future__ import annotations

from typing import Any

from sevenfold.report import plots
from sevenfold.report.blocks import Cell, Folded, Heading, Part, Plot, Points, Prose, Sample, Table
from sevenfold.report.facts import Facts
from sevenfold.report.parts.data.found import drawn, lines
from sevenfold.report.parts.evaluation import COLUMNS, metric_line
from sevenfold.report.words import number

CHANGED = 3
"""Items that are shown of each check: those whose values changed most."""

OWN = ("values", "group")
"""What stands in an item's title."""


def part(facts: Facts) -> Part | None:
    """Every check."""
    checks = (facts.evaluation or {}).get("checks", {})
    blocks: list[Any] = []
    for name, found in checks.items():
        blocks += [Heading(found["title"]), *check(facts, name, found)]
    return Part("Checks", blocks) if blocks else None


def check(facts: Facts, name: str, found: dict[str, Any]) -> list[Any]:
    """One check: said first, then its figures, pictures, tables, advice, and the items that changed most."""
    source = facts.path("evaluate", "result.json")
    blocks: list[Any] = [Prose(found["said"], source)]
    if found["comparisons"]:
        blocks.append(figures(found["comparisons"], found["figures"], source))
        blocks.append(
            Plot(
                plots.differences(found["comparisons"], name=f"check-{name}"),
                "Tuned less base, each figure on its own scale; right of the line is better.",
                source,
                wide=True,
            )
        )
    blocks += [
        Folded(f"{group}", [figures(comparisons, found["figures"], source)])
        for group, comparisons in found["groups"].items()
    ]
    blocks += [
        Plot(drawn(chart, f"check-{name}-{place}"), chart["says"], source)
        for place, chart in enumerate(found["charts"])
    ]
    blocks += [Folded(table["title"], [lines(table, source)]) for table in found["tables"] if table["lines"]]
    if found["advice"]:
        blocks.append(Points([Cell(advice, "unsure") for advice in found["advice"]], source))
    return blocks + changed(facts, name)


def figures(comparisons: dict[str, Any], says: dict[str, str], source: str) -> Table:
    """A line for each figure."""
    counts = sorted({one["rows"] for one in comparisons.values()})
    items = f"{' to '.join(number(count) for count in (counts[0], counts[-1])[: len(counts)])} items"
    words = [f"{name}: {says[name]}" for name in comparisons if says.get(name)]
    return Table(
        COLUMNS, [metric_line(name, one) for name, one in comparisons.items()], source, "; ".join([items, *words])
    )


def changed(facts: Facts, name: str) -> list[Folded]:
    """The items whose values changed most between base and tuned."""
    place = f"checks/{name}.jsonl"
    ranked = sorted(facts.lines("evaluate", place), key=lambda item: -moved(item))
    shown = [
        Sample(title(item), texts(item), facts.path("evaluate", place)) for item in ranked[:CHANGED] if moved(item) > 0
    ]
    return [Folded("Items that changed most", shown)] if shown else []


def moved(item: dict[str, Any]) -> float:
    """How far an item's values are apart, summed over figures."""
    sides = item["base"]["values"], item["tuned"]["values"]
    both = [(sides[0][name], sides[1][name]) for name in sides[0] if name in sides[1]]
    return sum(abs(one - other) for one, other in both if one is not None and other is not None)


def title(item: dict[str, Any]) -> str:
    """An item's group, and its values before and after."""
    sides = item["base"]["values"], item["tuned"]["values"]
    values = [
        f"{name} {number(sides[0][name])} → {number(sides[1][name])}"
        for name in sides[0]
        if sides[0][name] is not None and sides[1].get(name) is not None
    ]
    return ", ".join(filter(None, (item["base"].get("group", ""), *values)))


def texts(item: dict[str, Any]) -> list[tuple[str, str]]:
    """What was asked once, and what differs between the models."""
    base, tuned = ({name: text for name, text in side.items() if name not in OWN} for side in item.values())
    same = [(name, str(text)) for name, text in base.items() if tuned.get(name) == text]
    apart = [name for name in base if tuned.get(name) != base[name]]
    sides = (("base", base), ("tuned", tuned))
    return same + [(f"{name}, {side}", str(found.get(name, ""))) for name in apart for side, found in sides]
