"""What changes of the training rows did and audits found, whatever they are about."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from sevenfold.report import plots
from sevenfold.report.blocks import Cell, Folded, Plot, Points, Prose, Table
from sevenfold.report.words import number, plain


def looks(found: list[dict[str, Any]]) -> list[str]:
    """What all of them advise, the first of each before the second of any."""
    advice = [[f"Look at this ({one['title']}): {each}" for each in one["advice"]] for one in found]
    return [given[turn] for turn in range(max(map(len, advice), default=0)) for given in advice if turn < len(given)]


def findings(found: dict[str, Any], source: str) -> list[Any]:
    """One's findings: said first, then shown, then what to do."""
    blocks: list[Any] = [Prose(found["said"], source)]
    for place, chart in enumerate(found["charts"]):
        blocks.append(Plot(drawn(chart, f"{found['name']}-{place}"), chart["says"], source))
    for table in found["tables"]:
        if table["lines"]:
            blocks.append(Folded(table["title"], [lines(table, source)]))
    if found["advice"]:
        blocks.append(Points([Cell(advice, "unsure") for advice in found["advice"]], source))
    return blocks


def lines(table: dict[str, Any], source: str) -> Table:
    """A table."""
    head = (table["head"][0] or table["title"], *table["head"][1:])
    return Table(head, [[shown(cell) for cell in line] for line in table["lines"]], source, words=True)


def drawn(chart: dict[str, Any], name: str) -> Markup:
    """The picture of a chart."""
    if chart["kind"] == "bars":
        return plots.bars([plain(str(label)) for label in chart["names"]], chart["values"], chart["label"], name)
    if chart["kind"] == "histogram":
        return plots.histogram(chart["names"], chart["values"], chart["label"], name)
    return plots.small_curve(chart["names"], chart["values"], chart["label"], name)


def shown(cell: str | float) -> str:
    """A cell of a table."""
    return cell if isinstance(cell, str) else number(cell)
