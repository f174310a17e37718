"""The pictures of a comparison: curves of all variants, gains with their intervals, and gain against cost."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from sevenfold.report.plots import COLOURS, WIDE, canvas, grid, inline, running, styled, thinned

LINES = ("#2f7ed8", "#d9822b", "#2aa06a", "#c94f6d", "#8a63d2", "#8c7a3f", "#1fa3a8", "#b0559f", "#7a8794", "#5b7f1f")
"""Colours that can be told apart on a white and on a dark page; beyond ten they come again with another dash."""
DASHES = ("-", "--", ":", "-.")


@dataclass(frozen=True)
class Curve:
    """One variant's training: losses by step, and validation losses by step."""

    name: str
    losses: Sequence[float]
    validation: dict[int, float]


@dataclass(frozen=True)
class Point:
    """One variant's gain over its base in the metric that judges, with its interval, and a cost.

    ``better`` is yes, no or unclear.
    """

    name: str
    gain: float
    interval: tuple[float, float]
    better: str
    cost: float


def look(index: int) -> tuple[str, str]:
    """The colour and dash of a line by its place."""
    return LINES[index % len(LINES)], DASHES[index // len(LINES) % len(DASHES)]


@styled
def curves(found: Sequence[Curve], unit: str = "nats per token") -> Markup:
    """Training loss of all variants, smoothed, and their validation losses as points."""
    label = f"loss, {unit}" if unit else "loss"
    figure, (left, right) = canvas(WIDE, 4.2, columns=2)
    for index, curve in enumerate(found):
        colour, dash = look(index)
        width = max(3, len(curve.losses) // 20)
        steps = [float(step + 1) for step in range(len(curve.losses))]
        smooth = running(curve.losses, width)
        left.plot(*thinned(steps, smooth), dash, color=colour, linewidth=1.5, label=curve.name)
        at = sorted(curve.validation)
        right.plot(at, [curve.validation[step] for step in at], dash, marker="o", markersize=4, color=colour)
    left.set(xlabel="step", ylabel=label)
    left.set_title("training, mean of neighbouring steps")
    right.set(xlabel="step", ylabel=label)
    right.set_title("validation")
    for axes in (left, right):
        grid(axes)
    figure.legend(loc="outside lower center", ncols=min(5, max(1, len(found))))
    return inline(figure, "curves", "Loss of all variants by step")


@styled
def gains(points: Sequence[Point], metric: str, lower_is_better: bool) -> Markup:
    """Each variant's difference from its base with its interval, drawn so that right is better."""
    figure, axes = canvas(WIDE, 0.42 * len(points) + 0.9)
    axes.axvline(0, color=COLOURS["ink"], linewidth=1)
    for index, point in enumerate(points):
        colour = COLOURS[{"yes": "good", "no": "bad", "unclear": "muted"}[point.better]]
        axes.plot(point.interval, [index, index], color=colour, linewidth=3, solid_capstyle="round")
        axes.plot([point.gain], [index], "o", color=colour, markersize=7)
    axes.set_yticks(range(len(points)), [textwrap.fill(point.name, 40) for point in points])
    axes.tick_params(axis="y", length=0, labelcolor=COLOURS["ink"])
    axes.spines["left"].set_visible(False)
    axes.set(xlabel=f"{metric}, difference from the base")
    axes.set_ylim(len(points) - 0.5, -0.5)
    if lower_is_better:
        axes.invert_xaxis()
    return inline(figure, "gains", f"Difference in {metric} with its interval")


@styled
def trade(points: Sequence[Point], metric: str, cost: str, lower_is_better: bool) -> Markup:
    """Each variant's gain against its cost: the upper left corner is better and cheaper."""
    figure, axes = canvas(WIDE, 4.0)
    axes.axhline(0, color=COLOURS["muted"], linewidth=1, linestyle="--")
    for index, point in enumerate(points):
        colour, _ = look(index)
        low, high = sorted(point.interval)
        axes.plot([point.cost, point.cost], [low, high], color=colour, linewidth=1.5, alpha=0.6)
        axes.plot([point.cost], [point.gain], "o", color=colour, markersize=8)
        axes.annotate(point.name, (point.cost, point.gain), xytext=(7, 5), textcoords="offset points", fontsize=8)
    axes.set(xlabel=cost, ylabel=f"{metric}, difference from the base")
    if lower_is_better:
        axes.invert_yaxis()
    axes.margins(x=0.12)
    grid(axes)
    return inline(figure, "trade", f"Difference in {metric} against {cost}")
