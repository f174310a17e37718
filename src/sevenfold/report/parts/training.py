"""The training: its curve, what that says, rates and norms."""

from __future__ import annotations

import math
from typing import Any

from sevenfold.report import plots
from sevenfold.report.blocks import Cell, Figures, Part, Plot, Prose, Table
from sevenfold.report.facts import Facts
from sevenfold.report.words import duration, number, size

PER_TOKEN = ("sft", "pretrain", "masked")
"""Objectives whose loss is in nats per token."""
TONES = {"healthy": "good", "diverging": "bad", "overfit": "bad"}


def part(facts: Facts) -> Part | None:
    """The curves; also of a training that was stopped, as far as it got."""
    steps = facts.history
    if not steps:
        return None
    source = facts.path("tune", "history.jsonl")
    at = [float(step["step"]) for step in steps]
    blocks: list[Any] = []
    if facts.tuned:
        blocks.append(figures(facts.tuned, facts.path("tune", "result.json")))
    if facts.evaluation:
        curve = facts.evaluation["curve"]
        text = f"{curve['verdict'].capitalize()}: {curve['reason']}. Next: {curve['advice']}."
        blocks.append(Prose(text, facts.path("evaluate", "result.json"), TONES.get(curve["verdict"], "unsure")))
    blocks.append(loss(facts, at, source))
    blocks.extend(watched(facts, source))
    blocks.extend(tasks(facts))
    for key, label in (("learning_rate", "learning rate"), ("gradient_norm", "gradient norm before clipping")):
        values = [step[key] for step in steps]
        if all(value is not None and math.isfinite(value) for value in values):
            blocks.append(Plot(plots.small_curve(at, values, label, key.replace("_", "-")), label.capitalize(), source))
    return Part("Training", blocks)


def loss(facts: Facts, at: list[float], source: str) -> Plot:
    """The loss curve."""
    validation = {int(step): value for step, value in (facts.tuned or {}).get("validation_losses", {}).items()}
    best = (facts.tuned or {}).get("best_step", int(at[-1]))
    asked = objective_name(facts.tuned or {})
    unit = "nats per token" if asked in PER_TOKEN else ""
    drawn = plots.loss_curve(at, [step["loss"] for step in facts.history], validation, best, unit)
    thin = f" Points are means of neighbours, {plots.POINTS} at most." if len(at) > plots.POINTS else ""
    what = "Mean loss per supervised token" if unit else f"Mean loss of the objective {asked}"
    caption = f"{what} over {len(at)} steps.{thin}"
    return Plot(drawn, caption, source, wide=True)


def objective_name(tuned: dict[str, Any]) -> str:
    """What was asked; of a user's file its name."""
    written = tuned.get("objective") or {PER_TOKEN[0]: {}}
    return str(written.get("file") or next(iter(written)))


def watched(facts: Facts, source: str) -> list[Plot]:
    """What the objective watches beside its loss, a picture for each figure: of the steps and of validation rows."""
    kept: dict[str, dict[str, float]] = (facts.tuned or {}).get("validation_figures", {})
    every = [step.get("figures", {}) for step in facts.history]
    names = dict.fromkeys(name for found in (*every, *kept.values()) for name in found)
    found = []
    for place, name in enumerate(name for name in names if not name.startswith(LOSS_OF)):
        steps = {
            float(step["step"]): value
            for step in facts.history
            if (value := step.get("figures", {}).get(name)) is not None and math.isfinite(value)
        }
        validation = {
            int(step): value
            for step, figures in kept.items()
            if (value := figures.get(name)) is not None and math.isfinite(value)
        }
        drawn = plots.figure_curve(steps, validation, name, f"figure-{place}")
        found.append(Plot(drawn, name.capitalize(), source if steps else facts.path("tune", "result.json")))
    return found


LOSS_OF = "loss of "
"""What stands before a task's name in the figures of a validation."""


def tasks(facts: Facts) -> list[Plot | Table]:
    """The validation loss of each task, where several were trained side by side."""
    tuned = facts.tuned or {}
    kept: dict[str, dict[str, float]] = tuned.get("validation_figures", {})
    names = sorted({name for found in kept.values() for name in found if name.startswith(LOSS_OF)})
    if not names:
        return []
    curves = {
        name.removeprefix(LOSS_OF): {int(step): found[name] for step, found in kept.items() if name in found}
        for name in names
    }
    best, source = tuned["best_step"], facts.path("tune", "result.json")
    rows = []
    for task, curve in curves.items():
        lowest = min(curve, key=lambda step: curve[step])
        last = [number(curve[step]) if step in curve else "–" for step in (min(curve), best)]
        rows.append([task, *last, number(curve[lowest]), str(lowest)])
    columns = ("task", "at the start", f"kept: step {best}", "its own lowest", "at step")
    caption = "Validation loss of each task alone, nats per token; weights are kept by that of all rows together."
    return [Plot(plots.curves(curves, best), caption, source), Table(columns, rows, source, half=True)]


def figures(tuned: dict[str, Any], source: str) -> Figures:
    """What the training came to."""
    written = tuned["method"]
    method = written.get("file") or next(iter(written))
    items: list[tuple[str, Cell | str]] = [
        ("objective", objective_name(tuned)),
        ("method", method),
        ("steps", number(tuned["steps"])),
        ("kept step", number(tuned["best_step"])),
        ("trainable parameters", number(tuned["trainable_parameters"])),
        ("tokens read", number(tuned["tokens"])),
        ("tokens per second", number(tuned["tokens_per_second"])),
        ("time of the steps", duration(tuned["tokens"] / max(tuned["tokens_per_second"], 1e-9))),
        ("peak memory", size(tuned["peak_memory_bytes"])),
    ]
    return Figures(items, source)
