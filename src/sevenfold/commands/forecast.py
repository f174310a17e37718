"""The command ``plan``: memory by part and time, from the recipe's own rows, before anything is trained."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sevenfold.console import Console
from sevenfold.record import Entry

if TYPE_CHECKING:
    from sevenfold.pipeline import Run
    from sevenfold.setup.plan import Plan, Work
    from sevenfold.tune.rehearsal import Rehearsal


def of_run(run: Run, measure: bool = False) -> tuple[Work, Plan, Rehearsal | None]:
    """The work that a run's training will do, its plan, and what a few steps of it took; three stages are done.

    Args:
        run: The run.
        measure: Whether steps are really taken, where the plan fits.
    """
    from sevenfold.tune.rehearsal import rehearse
    from sevenfold.tune.stage import encoded_split
    from sevenfold.tune.work import work_of

    section, model, environment = run.recipe.tune.settled(run.dataset), run.model, run.environment
    with tempfile.TemporaryDirectory() as folder:
        rows = encoded_split("train", section, run.dataset, model, Entry(Path(folder), run.console))
        work = work_of(section, rows, model, environment)
        plan = environment.plan(work)
        taken = rehearse(section, rows, model, environment, plan, run.console) if measure and plan.fits else None
    return work, plan, taken


def as_json(work: Work, plan: Plan, taken: Rehearsal | None) -> dict[str, Any]:
    """The object of ``--json``: bytes by part, their sum, what is free, seconds, advice, and what was measured."""
    return {
        "bytes": plan.parts,
        "total_bytes": plan.total_bytes,
        "available_bytes": plan.available_bytes,
        "fits": plan.fits,
        "recomputed_blocks": plan.recomputed,
        "seconds": plan.seconds,
        "advice": plan.advice,
        "work": asdict(work),
        "measured": None if taken is None else {**asdict(taken), "total_seconds": round(taken.seconds_for(work), 1)},
    }


def show(work: Work, plan: Plan, taken: Rehearsal | None, console: Console) -> None:
    """The plan as a table and a sentence."""
    rows = [[name, f"{size / 1e6:,.0f} MB"] for name, size in plan.parts.items()]
    console.table(
        "memory at the peak of training", ["part", "size"], [*rows, ["total", f"{plan.total_bytes / 1e6:,.0f} MB"]]
    )
    console.say(
        f"{work.trainable_parameters:,} parameters move; {work.total_tokens:,} tokens in about "
        f"{plan.seconds / 60:.1f} minutes; {plan.available_bytes / 1e9:.1f} GB are free: "
        + ("it fits" if plan.fits else "it does not fit")
    )
    if plan.recomputed:
        console.say(f"{plan.recomputed} of {work.shape.layers} blocks are computed again in the backward pass")
    if taken:
        console.say(
            f"measured on {taken.steps} steps: {taken.peak_bytes / 1e6:,.0f} MB at the peak, "
            f"{taken.tokens / taken.seconds:,.0f} tokens/s, so {taken.seconds_for(work) / 60:.1f} minutes"
        )
    for advice in plan.advice:
        console.say(f"  would fit: {advice}")
