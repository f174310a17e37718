"""The command ``compare``: plans and outcomes of several variants, as tables and sentences."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sevenfold.console import Console
from sevenfold.report.words import duration, number, signed, size

Show = Callable[[dict[str, Any]], None]


def planned(file: Path, overrides: list[str] | None, runs: Path) -> tuple[dict[str, Any], Show]:
    """Every variant's plan, and how it is shown."""
    from sevenfold.compare import plans
    from sevenfold.compare.section import CompareSection

    console = Console()
    section = CompareSection.from_file(file, overrides or ())
    return plans.plan(section, runs, console), lambda found: show_plans(found, console)


def run(file: Path, overrides: list[str] | None, runs: Path, force: bool) -> tuple[dict[str, Any], Show]:
    """The whole comparison, and how it is shown."""
    from sevenfold.compare.section import CompareSection
    from sevenfold.compare.work import Work

    console = Console()
    section = CompareSection.from_file(file, overrides or ())
    return Work(section, list(overrides or ()), runs, console, force).run(), lambda found: show(found, console)


def show_plans(found: dict[str, Any], console: Console) -> None:
    """The plans as a table; what is refused says why."""
    rows = []
    for one in found["variants"]:
        plan, failure = one["plan"], one["failure"]
        if plan is None:
            rows.append([one["name"], "refused", "", "", "", failure["error"]])
            continue
        need = size(plan["total_bytes"])
        fits = "fits" if plan["fits"] else "does not fit"
        candidates = max(1, len(one["candidates"]))
        moving = number(plan["trainable_parameters"])
        rows.append([one["name"], fits, need, moving, duration(plan["seconds"]), f"{candidates} candidates"])
    console.table(
        f"plans of {found['name']}", ["variant", "memory", "needs", "trained", "training", "search, or why not"], rows
    )
    for one in found["variants"]:
        console.say(one["command"])


def show(found: dict[str, Any], console: Console) -> None:
    """Every variant's line, and the verdict."""
    judge = found["judge"]
    columns = ["variant", "training", "peak memory", "trained", "on disk", judge or "metric", "against its base"]
    console.table(f"comparison {found['name']}", columns, [row(one, judge) for one in found["variants"]])
    for one in found["variants"]:
        if one["failure"]:
            console.warn(f"{one['name']}: {one['failure']['problem']}")
    verdict = found["verdict"]
    console.heading(verdict["word"])
    console.say(verdict["summary"])
    for sentence in verdict["reasons"]:
        console.say(f"  {sentence}")
    console.say("What would change it:")
    for sentence in verdict["changes"]:
        console.say(f"  {sentence}")
    console.say(f"\npage: {Path(found['folder']) / 'comparison.html'}")


def row(one: dict[str, Any], judge: str) -> list[str]:
    """A variant's line."""
    if one["state"] != "done":
        return [one["name"], one["state"], *[""] * 5]
    metric = one["metrics"][judge]
    low, high = metric["interval"]
    return [
        one["name"],
        duration(one["seconds"]),
        size(one["peak_memory_bytes"]),
        number(one["trainable_parameters"]),
        size(one["size_bytes"]),
        number(metric["tuned"]),
        f"{signed(metric['difference'])} ({signed(low)} to {signed(high)})",
    ]
