"""The data in a few plain sentences, and the rows' way as a picture."""

from __future__ import annotations

from typing import Any

from sevenfold.report import plots
from sevenfold.report.blocks import Cell, Plot, Points, Table
from sevenfold.report.parts.data import plainly
from sevenfold.report.words import number, plain

LOOKS = 5
"""Things to look at that are said at once; the others stand with what found them."""
REASONS = 8
"""Reasons that have a bar of their own."""


def summary(report: dict[str, Any], looks: list[str], source: str) -> Points:
    """How many rows came, stay and went, whether they are enough, and what to look at."""
    came, stay, made = report["rows_in"], report["rows"], sum(report.get("made", {}).values())
    sources = len(report["sources"])
    kept = stay - made
    lines: list[Cell | str] = [
        f"{number(came)} rows came in from {number(sources)} source{'s' * (sources != 1)}; {number(kept)} of them stay "
        f"({kept / max(came, 1):.1%})."
    ]
    gone = sorted(((count, name) for name, count in report["dropped"].items() if count), reverse=True)
    if gone:
        total = sum(count for count, _ in gone)
        parts = [f"{number(count)} {plainly.reason(name)}" for count, name in gone[:4]]
        rest = total - sum(count for count, _ in gone[:4])
        parts += [f"{number(rest)} went for other reasons"] * bool(rest)
        lines.append(f"{number(total)} rows went: {plainly.listed(parts)}.")
    changed = [(count, step) for step, count in report["changed"].items() if count]
    if changed:
        count, step = max(changed)
        lines.append(
            f"Rows were changed by {len(changed)} cleaning steps, most of them ({number(count)}) by {plain(step)}."
        )
    if made:
        lines.append(f"{number(made)} training rows were made and added; each says what it was made of.")
    splits = [f"{number(count)} {plainly.SPLITS[split]}" for split, count in report["splits"].items() if count]
    lines.append(f"{number(stay)} rows are used: {plainly.listed(splits)}.")
    best = good_for(report)[0]["what"]
    lines.append(f"What they are good for: {best}.")
    lines += [Cell(look, "unsure") for look in looks[:LOOKS]]
    if len(looks) > LOOKS:
        lines.append(f"{len(looks) - LOOKS} more remarks stand below, with what found them.")
    return Points(lines, source)


def flow(report: dict[str, Any], source: str) -> Plot:
    """Rows in, those that went by reason, those that were made, and where the others are."""
    gone = sorted(((name, count) for name, count in report["dropped"].items() if count), key=lambda item: -item[1])
    shown = [(plain(name), count) for name, count in gone[:REASONS]]
    if rest := sum(count for _, count in gone[REASONS:]):
        shown.append((f"{len(gone) - REASONS} other reasons", rest))
    made = [(plain(name), count) for name, count in report.get("made", {}).items() if count]
    splits = [
        (f"{plainly.SPLITS.get(split, '')} ({split})", count) for split, count in report["splits"].items() if count
    ]
    svg = plots.waterfall(report["rows_in"], shown, made, splits)
    caption = (
        "The way of the rows, from top to bottom: each red bar is rows that went, and why; each green one rows that "
        "were made. Rows in and made are rows used and gone: nothing is lost in silence."
    )
    return Plot(svg, caption, source, wide=True)


def advice(report: dict[str, Any], source: str) -> Table:
    """What to do, and why."""
    lines = [(one["what"][:1].upper() + one["what"][1:], one["why"]) for one in good_for(report)]
    return Table(("what these rows are good for", "why"), lines, source, words=True)


def good_for(report: dict[str, Any]) -> list[dict[str, str]]:
    """The advice with its reasons; runs of earlier versions have one sentence."""
    given: list[dict[str, str]] | str = report["advice"]
    return [{"what": given, "why": ""}] if isinstance(given, str) else given
