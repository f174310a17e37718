"""What each variant will need, before anything is trained: memory, time, steps, or why it is refused."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from sevenfold.compare.section import CompareSection
from sevenfold.compare.share import lend
from sevenfold.compare.variants import Variant, variants
from sevenfold.console import Console
from sevenfold.errors import Interrupted, SevenfoldError
from sevenfold.pipeline import Run
from sevenfold.record import Entry, Record


def plan(comparison: CompareSection, runs: Path, console: Console) -> dict[str, Any]:
    """The plan of every variant; the rows are prepared and the model is loaded for it, and nothing is trained.

    Args:
        comparison: What is compared.
        runs: The folder that holds all runs.
        console: Where progress goes.

    Returns:
        ``name``, ``folder`` and ``variants``, each with ``name``, ``command``, ``candidates`` and its ``plan`` or
        its ``failure``.

    Raises:
        SevenfoldError: Something is wrong with what all variants share.
    """
    folder = comparison.folder(runs)
    found = variants(comparison)
    with Record(folder).locked(), console.task("plans", len(found)) as bar:
        planned = []
        for variant in found:
            planned.append(plan_of(variant, [other.name for other in found], folder))
            bar.advance(1, variant.name)
    return {"name": comparison.name, "folder": str(folder), "variants": planned}


def plan_of(variant: Variant, names: list[str], folder: Path) -> dict[str, Any]:
    """One variant's plan, with its first candidate: what a search chooses seldom changes what it needs."""
    chosen = variant.candidates[0] if variant.candidates else {}
    told: dict[str, Any] = {
        "name": variant.name,
        "command": variant.command(chosen, folder),
        "candidates": list(variant.candidates),
        "plan": None,
        "failure": None,
    }
    try:
        run = Run(variant.recipe(chosen), folder, Console(quiet=True))
        lend(run, [folder / name for name in names if name != variant.name])
        run.up_to("setup", report=False)
        told["plan"] = figures(run)
    except Interrupted:
        raise
    except SevenfoldError as error:
        told["failure"] = error.as_json()
    return told


def figures(run: Run) -> dict[str, Any]:
    """A run's plan as the comparison keeps it; its first three stages are done."""
    from sevenfold.tune.tokens import encoded_split
    from sevenfold.tune.work import work_of

    section, model, environment = run.recipe.tune.settled(run.dataset), run.model, run.environment
    with tempfile.TemporaryDirectory() as folder:
        rows = encoded_split("train", section, run.dataset, model, Entry(Path(folder)))
        work = work_of(section, rows, model, environment)
        made = environment.plan(work)
    return {
        "total_bytes": made.total_bytes,
        "available_bytes": made.available_bytes,
        "fits": made.fits,
        "advice": made.advice,
        "seconds": made.seconds,
        "steps": section.total_steps(len(rows)),
        "trainable_parameters": work.trainable_parameters,
    }
