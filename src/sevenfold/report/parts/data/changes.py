"""What was changed in the rows and what was dropped, with examples."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from sevenfold.report import plots
from sevenfold.report.blocks import Folded, Plot, Sample, Table
from sevenfold.report.facts import Facts
from sevenfold.report.parts.data import plainly
from sevenfold.report.words import number, plain

EXAMPLES = 3
"""Dropped rows of a reason that are shown."""
LINES = 20_000
"""Lines of ``dropped.jsonl`` that are read for examples."""
LONG = 600
"""Characters of a dropped row that are shown."""


def changed(report: dict[str, Any], source: str) -> list[Any]:
    """Rows changed by each step, and the first of them before and after."""
    steps = [(step, count) for step, count in report["changed"].items() if count]
    if not steps:
        return []
    share = max(report["rows_in"], 1)
    lines = [(plainly.step(step), plain(step), number(count), f"{count / share:.1%}") for step, count in steps]
    blocks: list[Any] = [Table(("what was done", "step", "rows", "of all"), lines, source, words=True)]
    for step, count in steps:
        examples = report.get("examples", {}).get(step, [])
        samples = [
            Sample(one["origin"], [("before", visible(one["before"])), ("after", visible(one["after"]))], source)
            for one in examples
        ]
        if samples:
            blocks.append(Folded(f"{plain(step)}: {len(samples)} of {number(count)} rows, before and after", samples))
    return blocks


INVISIBLE = {
    "\u200b": "zero-width space",
    "\u200d": "joiner",
    "\u200e": "left-to-right mark",
    "\u200f": "right-to-left mark",
    "\ufeff": "byte order mark",
    "\u00a0": "hard space",
    "\u00ad": "soft hyphen",
}
"""Characters that no one sees; the half-space is left, since Persian has it in every other word."""


def visible(text: str) -> str:
    """A text whose invisible characters can be seen: ``␣`` at its ends, names in brackets."""
    for character, name in INVISIBLE.items():
        text = text.replace(character, f"⟨{name}⟩")
    inner = text.strip(" \t\n\r")
    if not inner:
        return ends(text)
    start = text.index(inner)
    return f"{ends(text[:start])}{inner}{ends(text[start + len(inner) :])}"


def ends(space: str) -> str:
    """White space as marks."""
    return space.replace(" ", "␣").replace("\t", "⇥").replace("\r", "").replace("\n", "⏎")


def dropped(facts: Facts, report: dict[str, Any], source: str) -> list[Any]:
    """Dropped rows by reason, and the first of each."""
    counts = {reason: count for reason, count in report["dropped"].items() if count}
    if not counts:
        return []
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    file = facts.path("prepare", "dropped.jsonl")
    svg = plots.bars([plain(reason) for reason, _ in ordered], [count for _, count in ordered], "rows", "dropped")
    lines = [(plain(reason), number(count), f"They {plainly.reason(reason)}.") for reason, count in ordered]
    blocks: list[Any] = [
        Plot(svg, f"Rows dropped by reason; the rows themselves are in {file}.", source),
        Table(("reason", "rows", "in words"), lines, source, words=True, half=True),
    ]
    found = first_of_each(facts.record.folder / file, Counter(counts))
    for reason, _ in ordered:
        samples = [Sample(line["origin"], [("dropped", said(line))], file) for line in found.get(reason, [])]
        if samples:
            title = f"{plain(reason)}: {len(samples)} of {number(counts[reason])} dropped rows"
            blocks.append(Folded(title, samples))
    return blocks


def first_of_each(path: Path, counts: Counter[str]) -> dict[str, list[dict[str, Any]]]:
    """The first rows of each reason, of a file that may be large."""
    found: dict[str, list[dict[str, Any]]] = {}
    wanted = {reason: min(EXAMPLES, count) for reason, count in counts.items()}
    if not path.is_file():
        return found
    with path.open(encoding="utf-8", errors="replace") as file:
        for _, text in zip(range(LINES), file, strict=False):
            if not text.endswith("\n"):
                # A stage that was killed may have left half a line.
                break
            line = json.loads(text)
            kept = found.setdefault(line["reason"], [])
            if len(kept) < EXAMPLES:
                kept.append(line)
            if all(len(found.get(reason, ())) >= count for reason, count in wanted.items()):
                break
    return found


def said(line: dict[str, Any]) -> str:
    """What a dropped row says, and of which row it is the double."""
    if "messages" in line:
        text = "\n".join(f"{message['role']}: {message['content']}" for message in line["messages"])
    else:
        text = json.dumps(line.get("values", {}), ensure_ascii=False)
    other = {name: line[name] for name in ("of", "similarity", "words") if name in line}
    behind = "".join(f"\n{name}: {value}" for name, value in other.items())
    return (text if len(text) <= LONG else f"{text[:LONG]}…") + behind
