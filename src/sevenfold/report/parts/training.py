"""The training: its curve, what that says, rates and norms."""

from __future__ import annotations

import math
from typing import Any

from sevenfold.report import plots
from sevenfold.report.blocks import Cell, Figures, Part, Plot, Prose
from sevenfold.report.facts import Facts
from sevenfold.report.words import duration, number, size

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
    for key, label in (("learning_rate", "learning rate"), ("gradient_norm", "gradient norm before clipping")):
        values = [step[key] for step in steps]
        if all(value is not None and math.isfinite(value) for value in values):
            blocks.append(Plot(plots.small_curve(at, values, label, key.replace("_", "-")), label.capitalize(), source))
    return Part("Training", blocks)


def loss(facts: Facts, at: list[float], source: str) -> Plot:
    """The loss curve."""
    validation = {int(step): value for step, value in (facts.tuned or {}).get("validation_losses", {}).items()}
    best = (facts.tuned or {}).get("best_step", int(at[-1]))
    drawn = plots.loss_curve(at, [step["loss"] for step in facts.history], validation, best)
    thin = f" Points are means of neighbours, {plots.POINTS} at most." if len(at) > plots.POINTS else ""
    caption = f"Mean loss per supervised token over {len(at)} steps.{thin}"
    return Plot(drawn, caption, source, wide=True)


def figures(tuned: dict[str, Any], source: str) -> Figures:
    """What the training came to."""
    method = next(iter(tuned["method"]))
    items: list[tuple[str, Cell | str]] = [
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
