"""The quality of methods, from a comparison's ``comparison.json``."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from methods_parts import speed
from sevenfold.report.words import duration, number, signed, size

Figures = dict[str, Any]
TAKEN = ("name", "state", "chosen", "edges", "failure", "seconds", "peak_memory_bytes", "trainable_parameters", "share")
MORE = ("size_bytes", "validation_loss", "rows", "metrics", "forgetting", "curve")
TASKS = {"en": "the demo's English task", "fa": "the Persian task"}
"""Comparisons whose verdict counts; the one of the other methods completes the first."""
HEADINGS = {
    "en": (
        "### An English task",
        "`recipes/compare-methods.yaml`: the documentation of Python functions, on modules that training never saw.",
    ),
    "more": (
        "### The other methods, on the same English rows",
        "`recipes/compare-methods-more.yaml`: the same training and held-out rows; the loss alone is measured.",
    ),
    "fa": (
        "### A Persian task",
        "`recipes/compare-methods-fa.yaml`: names, dates and numbers in a script that the small model has to learn.",
    ),
}
"""What stands above the tables of a comparison, which is there only with them."""
KEPT = ("tuned", "difference", "interval", "confidence", "better", "direction")


def taken(told: Figures, machine: str) -> Figures:
    """What the tables need of a ``comparison.json``, and the machine that it was made on."""
    variants = []
    for one in told["variants"]:
        found = {key: one[key] for key in (*TAKEN, *MORE) if key in one}
        metrics = {name: {key: metric[key] for key in KEPT} for name, metric in one.get("metrics", {}).items()}
        variants.append(found | {"metrics": metrics} if metrics else found)
    keep = ("name", "recipe", "bases", "judge", "cost", "verdict")
    return {**{key: told[key] for key in keep}, "variants": variants, "machine": machine}


def machine_of(folder: Path) -> str:
    """The machine of a comparison's runs, as they recorded it, and the day of the last one."""
    records = sorted(folder.glob("*/3-setup/result.json"), key=lambda path: path.stat().st_mtime)
    if not records:
        return "machine not recorded"
    found = json.loads(records[-1].read_text(encoding="utf-8"))
    machine, day = found["machine"], datetime.fromtimestamp((folder / "comparison.json").stat().st_mtime, UTC)
    versions = ", ".join(f"{name} {machine['versions'][name]}" for name in ("torch", "transformers"))
    cores = "one core" if found["threads"] == 1 else f"{found['threads']} cores"
    return f"{machine['processor']}, {cores}, {versions}, {found['precision']}, {day:%Y-%m-%d}"


def table(told: Figures) -> str:
    """A comparison's table, its verdict, and how it was made."""
    done = [one for one in told["variants"] if one["state"] == "done"]
    waiting = [one["name"] for one in told["variants"] if one["state"] == "waiting"]
    failed = [f"{one['name']}: {one['failure']['problem']}" for one in told["variants"] if one["state"] == "failed"]
    if not done:
        return "No variant is done yet."
    parts = [costs_table(done), quality_table(told, done), reading(done), verdict(told)]
    if waiting:
        parts.append(f"Not trained yet: {', '.join(waiting)}.")
    parts += [f"Failed: {text}" for text in failed]
    command = f"`sevenfold compare recipes/{told['name']}.yaml`, then `python benchmarks/methods.py quality`"
    return "\n\n".join([*parts, f"{command}; {told['machine']}"])


def costs_table(done: list[Figures]) -> str:
    """What each variant's training costs beside full tuning's."""
    full = next((one for one in done if one["name"] == "full"), None)
    lines = [
        "| method | learning rate | training | of `full` | peak memory | of `full` | trained | share | on disk |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for one in done:
        times, memory = (ratio(one, full, key) for key in ("seconds", "peak_memory_bytes"))
        peak = size(one["peak_memory_bytes"])
        lines.append(
            f"| `{one['name']}` | {rate(one)} | {duration(one['seconds'])} | {times} | {peak} | {memory} "
            f"| {one['trainable_parameters']:,} | {speed.share(one['share'])} | {size(one['size_bytes'])} |"
        )
    return "\n".join(lines)


def ratio(one: Figures, full: Figures | None, key: str) -> str:
    """A cost in times of full tuning's."""
    return f"{one[key] / full[key]:.2f}" if full else "–"


def rate(one: Figures) -> str:
    """What the search chose, and whether a better one may lie beyond what it tried."""
    chosen = ", ".join(number(value) for value in one["chosen"].values())
    edges = ", ".join(dict.fromkeys(one["edges"].values()))
    return f"{chosen} ({edges} tried)" if edges else chosen or "–"


def quality_table(told: Figures, done: list[Figures]) -> str:
    """Losses and metrics with intervals, and what was forgotten."""
    names = list(done[0]["metrics"])
    arrows = {"lower": "↓", "higher": "↑"}
    head = [f"{name} {arrows[done[0]['metrics'][name]['direction']]}" for name in names]
    lines = [
        f"| method | validation loss ↓ | {' | '.join(head)} | general text ↓ |",
        "|---|---:|" + "---:|" * (len(names) + 1),
    ]
    for base in told["bases"]:
        figures = " | ".join(number(base["metrics"].get(name)) for name in names)
        lines.append(f"| {base['name']} | {number(base['validation_loss'])} | {figures} | |")
    for one in done:
        figures = " | ".join(gain(one["metrics"].get(name)) for name in names)
        lines.append(f"| `{one['name']}` | {number(one['validation_loss'])} | {figures} | {forgotten(one)} |")
    return "\n".join(lines)


def gain(metric: Figures | None) -> str:
    """A metric with what it gained over the base."""
    if metric is None:
        return "–"
    low, high = metric["interval"]
    clear = "**" if metric["better"] == "yes" else ""
    text = f"{number(metric['tuned'])} ({signed(metric['difference'])}: {signed(low)} to {signed(high)})"
    return f"{clear}{text}{clear}"


def forgotten(one: Figures) -> str:
    """How much the loss of general text rose."""
    if not one.get("forgetting"):
        return "–"
    compared = one["forgetting"]["comparison"]
    low, high = compared["interval"]
    return f"{signed(compared['difference'])} ({signed(low)} to {signed(high)}), {one['forgetting']['verdict']}"


def reading(done: list[Figures]) -> str:
    """How to read the two tables."""
    confidence = next(iter(done[0]["metrics"].values()))["confidence"]
    return (
        f"{done[0]['rows']} held-out rows. In brackets the gain over the base with its {confidence:.0%} interval from "
        "a paired bootstrap over rows; bold: clearly better than the base. General text: the rise of the loss on "
        "passages that have nothing to do with the task, nats per token. One training each."
    )


def verdict(told: Figures) -> str:
    """The comparison's own verdict."""
    found = told["verdict"]
    return f"**{found['word']}.** {found['summary']}"


def short_table(told: Figures) -> str:
    """The page's table: the metric that judges, forgetting, time and memory."""
    done = [one for one in told["variants"] if one["state"] == "done"]
    if not done:
        return "No variant is done yet."
    full, judge = next((one for one in done if one["name"] == "full"), None), told["judge"]
    lines = [
        f"| method | {judge} on held-out rows (gain: interval) | general text | time | memory |",
        "|---|---:|---:|---:|---:|",
    ]
    for base in told["bases"]:
        lines.append(f"| {base['name']} | {number(base['metrics'].get(judge))} | | | |")
    for one in done:
        times, memory = (ratio(one, full, key) for key in ("seconds", "peak_memory_bytes"))
        lines.append(f"| `{one['name']}` | {gain(one['metrics'].get(judge))} | {forgotten(one)} | {times} | {memory} |")
    missing = [one["name"] for one in told["variants"] if one["state"] != "done"]
    rest = f" Without figures: {', '.join(missing)}." if missing else ""
    return "\n".join(lines) + f"\n\n{verdict(told)}{rest} {told['machine']}"
