"""What it cost: time by stage, and memory and time against the plan."""

from __future__ import annotations

from typing import Any

from sevenfold.report import plots
from sevenfold.report.blocks import Part, Plot, Table
from sevenfold.report.facts import RECORD_FILE, Facts
from sevenfold.report.words import duration, number, plain, size


def part(facts: Facts) -> Part | None:
    """Time by stage and the plan beside what was measured."""
    stages = facts.stages
    if not stages:
        return None
    svg = plots.bars([stage.name for stage in stages], [stage.seconds for stage in stages], "seconds", "time")
    total = duration(sum(stage.seconds for stage in stages))
    blocks: list[Any] = [Plot(svg, f"Time by stage, proofs included; {total} in all.", RECORD_FILE)]
    compared = against_plan(facts)
    if compared:
        blocks.append(compared)
    return Part("Cost", blocks)


def against_plan(facts: Facts) -> Table | None:
    """The plan's figures beside the measured ones."""
    tune = facts.stage("tune")
    plan = tune.metrics.get("plan") if tune else None
    if tune is None or plan is None:
        return None
    rows = [(plain(name), size(count), "") for name, count in plan["parts"].items()]
    measured = tune.metrics.get("peak_memory_bytes")
    rows.append(("peak memory", size(sum(plan["parts"].values())), size(measured) if measured else "–"))
    if facts.history:
        spent = sum(step["seconds"] for step in facts.history)
        rows.append(("time of the steps", duration(plan["seconds"]), duration(spent)))
    return Table(("memory and time", "planned", "measured"), rows, RECORD_FILE, half=True)


def shortly(facts: Facts) -> list[str]:
    """The cost in a few sentences for the top of the page."""
    total = sum(stage.seconds for stage in facts.stages)
    said = [f"{duration(total)} in all."]
    if facts.tuned and facts.tuned["steps"]:
        tuned = facts.tuned
        said.append(
            f"Training read {number(tuned['tokens'])} tokens at {number(tuned['tokens_per_second'])} tokens/s with "
            f"{size(tuned['peak_memory_bytes'])} of memory at its peak."
        )
    if facts.evaluation and facts.evaluation["forgetting"]:
        found = facts.evaluation["forgetting"]
        said.append(f"General text: {found['verdict']}.")
    return said
