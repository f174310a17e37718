"""What stands beside the comparison of base and tuned: how far groups are apart, and other models on the same rows."""

from __future__ import annotations

from typing import Any

from sevenfold.report.blocks import Cell, Folded, Prose, Table
from sevenfold.report.words import number, signed

GAP_TONES = {"widened": "bad", "narrowed": "good", "unclear": "unsure"}
TONES = {"yes": "good", "no": "bad", "unclear": "unsure"}
SIDES = {"against_base": ("base", "it"), "against_tuned": ("it", "tuned")}
"""Who is compared with whom, the second with the first."""


def gaps(report: dict[str, Any], source: str) -> list[Table]:
    """The worst and the best group of each metric, and what tuning did to the gap."""
    found = report.get("gaps", {})
    if not found:
        return []
    columns = ("metric", "worst group", "best group", "gap", "interval", "gap of the base", "tuning", "chance")
    rows = [gap_line(name, gap) for name, gap in found.items()]
    small = {group: count for gap in found.values() for group, count in gap["small"].items()}
    caption = f"How far the values of {report['grouped_by']} are apart. Chance: how often shuffled rows are as far."
    if small:
        caption += f" Too few rows to judge: {', '.join(f'{group} ({count})' for group, count in small.items())}."
    return [Table(columns, rows, source, caption=caption)]


def gap_line(name: str, gap: dict[str, Any]) -> list[Cell | str]:
    """One metric's."""
    tuned = gap["tuned"]
    low, high = tuned["interval"]
    return [
        name,
        f"{tuned['worst']} ({number(tuned['figures'][tuned['worst']])})",
        f"{tuned['best']} ({number(tuned['figures'][tuned['best']])})",
        number(tuned["gap"]),
        f"{number(low)} to {number(high)}",
        number(gap["base"]["gap"]),
        Cell(gap["word"], GAP_TONES[gap["word"]]),
        number(tuned["chance"]),
    ]


def others(report: dict[str, Any], source: str) -> list[Prose | Folded]:
    """Each other model beside base and tuned."""
    found: list[Prose | Folded] = []
    for name, other in report.get("others", {}).items():
        left = "".join(f"; {count} left out: {reason}" for reason, count in other["left_out"].items())
        missing = "".join(f" {metric} is not compared: {why}." for metric, why in other["not_compared"].items())
        asked = f"{name} ({other['source']}) was asked {other['rows']} of the same rows{left}.{missing}"
        found.append(Prose(asked, source))
        tables = [beside(name, other[side], side, source) for side in SIDES if other[side]]
        found.append(Folded(f"{name}, beside base and tuned", tables))
    return found


def beside(name: str, comparisons: dict[str, Any], side: str, source: str) -> Table:
    """One side's comparisons."""
    first, second = (name if word == "it" else word for word in SIDES[side])
    rows: list[list[Cell | str]] = []
    for metric, one in comparisons.items():
        low, high = one["interval"]
        figures = [number(one["base"]), number(one["tuned"]), signed(one["difference"])]
        rows.append([metric, *figures, f"{signed(low)} to {signed(high)}", Cell(one["better"], TONES[one["better"]])])
    return Table(("metric", first, second, "difference", "interval", f"is {second} better?"), rows, source)
