"""Plots as inline SVG that takes the page's colours, light and dark.

Figures are drawn in stand-in colours, which are then replaced with the style sheet's variables; text stays text.
"""

from __future__ import annotations

import functools
import io
import re
import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ParamSpec

from markupsafe import Markup

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

P = ParamSpec("P")
COLOURS = {
    "ink": "#010101",
    "muted": "#020202",
    "line": "#030303",
    "base": "#040404",
    "tuned": "#050505",
    "accent": "#060606",
    "good": "#070707",
    "bad": "#080808",
}
"""Name of the style sheet's variable to its stand-in."""
POINTS = 600
"""Points of a line; more do not show on a screen."""
WIDE, HALF = 12.0, 5.8
"""Inches of a plot over the whole page and over half of it: a point is about a pixel and a third on the page."""
SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "sevenfold",
    "text.parse_math": False,
    "font.size": 9,
    "axes.edgecolor": COLOURS["line"],
    "axes.labelcolor": COLOURS["muted"],
    "axes.titlecolor": COLOURS["ink"],
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": COLOURS["ink"],
    "xtick.color": COLOURS["muted"],
    "ytick.color": COLOURS["muted"],
    "grid.color": COLOURS["line"],
    "legend.frameon": False,
    "legend.labelcolor": COLOURS["ink"],
}


def styled(draw: Callable[P, Markup]) -> Callable[P, Markup]:
    """Draw with our settings, whatever the process has set for itself."""

    @functools.wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> Markup:
        import matplotlib

        with matplotlib.rc_context(SETTINGS):
            return draw(*args, **kwargs)

    return drawn


def canvas(width: float, height: float, rows: int = 1, columns: int = 1, **more: Any) -> tuple[Figure, Any]:
    """An empty figure in inches and its axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(rows, columns, **more)


def inline(figure: Figure, name: str, title: str) -> Markup:
    """A figure as SVG for the page.

    Args:
        figure: What was drawn.
        name: Keeps the ids of several plots of one page apart.
        title: What a screen reader says.
    """
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", text)
    text = re.sub(r'<svg [^>]*?viewBox="([^"]*)"[^>]*>', r'<svg role="img" viewBox="\1">', text, count=1)
    text = re.sub(r"font-family: [^;\"]*;", "", text)
    for variable, stand_in in COLOURS.items():
        text = text.replace(stand_in, f"var(--{variable})")
    head, rest = text.split(">", 1)
    return Markup(head) + Markup("><title>") + title + Markup("</title>") + Markup(rest)


def thinned(xs: Sequence[float], ys: Sequence[float]) -> tuple[list[float], list[float]]:
    """At most :data:`POINTS` points: the means of neighbours."""
    width = -(-len(xs) // POINTS)
    starts = range(0, len(xs), width)

    def means(values: Sequence[float]) -> list[float]:
        return [sum(part) / len(part) for part in (values[start : start + width] for start in starts)]

    return (list(xs), list(ys)) if width <= 1 else (means(xs), means(ys))


def running(values: Sequence[float], width: int) -> list[float]:
    """The mean of each value and up to ``width - 1`` before it."""
    total, means = 0.0, []
    for index, value in enumerate(values):
        total += value - (values[index - width] if index >= width else 0.0)
        means.append(total / min(index + 1, width))
    return means


def grid(axes: Axes) -> None:
    """Faint horizontal lines behind what is drawn."""
    axes.grid(axis="y", linewidth=0.6)
    axes.set_axisbelow(True)


@styled
def loss_curve(
    steps: list[float], losses: list[float], validation: dict[int, float], best: int, unit: str = "nats per token"
) -> Markup:
    """Loss by step, smoothed, with the validation loss and the step that was kept."""
    figure, axes = canvas(WIDE, 3.6)
    width = max(3, len(losses) // 20)
    axes.plot(*thinned(steps, losses), color=COLOURS["base"], linewidth=0.8, alpha=0.55, label="each step")
    axes.plot(
        *thinned(steps, running(losses, width)), color=COLOURS["tuned"], linewidth=1.8, label=f"mean of {width} steps"
    )
    if validation:
        at = sorted(validation)
        axes.plot(
            at, [validation[step] for step in at], "o-", color=COLOURS["accent"], markersize=4, label="validation"
        )
    axes.axvline(best, color=COLOURS["muted"], linewidth=1, linestyle=":", label=f"kept: step {best}")
    axes.set(xlabel="step", ylabel=f"loss, {unit}" if unit else "loss")
    grid(axes)
    axes.legend(ncols=4, loc="upper right")
    return inline(figure, "loss", "Training loss by step")


@styled
def curves(found: dict[str, dict[int, float]], best: int) -> Markup:
    """The validation loss of each task by step, told apart by marks, with the step that was kept."""
    figure, axes = canvas(HALF, 3.2)
    colours = [COLOURS[name] for name in ("tuned", "accent", "base", "good", "bad")]
    for index, (name, curve) in enumerate(found.items()):
        at = sorted(curve)
        mark = "os^Dv<>Pp*"[index % 10]
        colour = colours[index % len(colours)]
        axes.plot(at, [curve[step] for step in at], marker=mark, markersize=4, color=colour, label=name)
    axes.axvline(best, color=COLOURS["muted"], linewidth=1, linestyle=":")
    axes.set(xlabel="step", ylabel="validation loss, nats per token")
    grid(axes)
    axes.legend()
    return inline(figure, "tasks", "Validation loss of each task by step")


@styled
def small_curve(steps: list[float], values: list[float], label: str, name: str) -> Markup:
    """One quantity by step."""
    figure, axes = canvas(HALF, 2.6)
    axes.plot(*thinned(steps, values), color=COLOURS["tuned"], linewidth=1.2)
    axes.set(xlabel="step", ylabel=label)
    axes.set_ylim(bottom=0)
    axes.locator_params(axis="y", nbins=5)
    grid(axes)
    return inline(figure, name, f"{label} by step")


@styled
def figure_curve(watched: dict[float, float], validation: dict[int, float], label: str, name: str) -> Markup:
    """One of an objective's figures by step: of each step, of their running mean, and of validation rows."""
    figure, axes = canvas(HALF, 2.6)
    steps, values = list(watched), list(watched.values())
    if steps:
        axes.plot(*thinned(steps, values), color=COLOURS["base"], linewidth=0.8, alpha=0.55, label="each step")
        width = max(3, len(values) // 20)
        smooth = running(values, width)
        axes.plot(*thinned(steps, smooth), color=COLOURS["tuned"], linewidth=1.6, label=f"mean of {width} steps")
    if validation:
        at = sorted(validation)
        axes.plot(
            at, [validation[step] for step in at], "o-", color=COLOURS["accent"], markersize=4, label="validation"
        )
    axes.set(xlabel="step", ylabel=label)
    axes.locator_params(axis="y", nbins=5)
    grid(axes)
    axes.legend()
    return inline(figure, name, f"{label} by step")


@styled
def differences(metrics: dict[str, dict[str, Any]], name: str = "differences") -> Markup:
    """Tuned less base with its interval, each line on its own scale, drawn so that right is better."""
    figure, axes = canvas(WIDE, 0.62 * len(metrics) + 0.3, rows=len(metrics), squeeze=False)
    for place, (line, metric) in zip(axes[:, 0], metrics.items(), strict=True):
        low, high = metric["interval"]
        colour = COLOURS[{"yes": "good", "no": "bad", "unclear": "muted"}[metric["better"]]]
        place.axvline(0, color=COLOURS["ink"], linewidth=1)
        place.plot([low, high], [0, 0], color=colour, linewidth=3, solid_capstyle="round")
        place.plot([metric["difference"]], [0], "o", color=colour, markersize=8)
        reach = 1.15 * max(abs(low), abs(high), abs(metric["difference"]), 1e-9)
        place.set_xlim((-reach, reach) if metric["direction"] == "higher" else (reach, -reach))
        place.set_yticks([0], [textwrap.fill(line, 28)])
        place.tick_params(axis="y", length=0, labelcolor=COLOURS["ink"])
        place.tick_params(axis="x", labelsize=8)
        place.spines["left"].set_visible(False)
        place.locator_params(axis="x", nbins=7)
    return inline(figure, name, "Differences with their intervals")


@styled
def scatter(name: str, base: list[float], tuned: list[float], lower_is_better: bool) -> Markup:
    """Each row's value, base across and tuned upwards, with the line where both are equal."""
    figure, axes = canvas(HALF, 4.2)
    low, high = min(base + tuned), max(base + tuned)
    pad = 0.05 * (high - low) or 0.5
    axes.axline((low, low), slope=1, color=COLOURS["muted"], linewidth=1, linestyle="--")
    colours = [shade(t - b, lower_is_better) for b, t in zip(base, tuned, strict=True)]
    axes.scatter(base, tuned, c=colours, s=18, alpha=0.7, linewidths=0)
    axes.set(xlabel=f"{name} of the base", ylabel=f"{name} of the tuned model")
    axes.set(xlim=(low - pad, high + pad), ylim=(low - pad, high + pad))
    side = "below" if lower_is_better else "above"
    axes.set_title(f"{name}: better {side} the line")
    return inline(figure, f"scatter-{re.sub('[^a-z0-9]', '-', name.lower())}", f"{name} of each row")


def shade(difference: float, lower_is_better: bool) -> str:
    """The colour of a row by who is better on it."""
    if difference == 0:
        return COLOURS["muted"]
    return COLOURS["good" if (difference < 0) == lower_is_better else "bad"]


@styled
def bars(labels: list[str], values: list[float], label: str, name: str) -> Markup:
    """Horizontal bars with their values."""
    figure, axes = canvas(HALF, 0.34 * len(labels) + 0.7)
    drawn = axes.barh(labels, values, color=COLOURS["tuned"], height=0.65)
    axes.bar_label(drawn, labels=[f"{value:,.4g}" for value in values], padding=3, color=COLOURS["ink"], fontsize=8)
    axes.invert_yaxis()
    axes.margins(x=0.15)
    axes.set(xlabel=label)
    axes.tick_params(axis="y", length=0)
    return inline(figure, name, label)


@styled
def waterfall(
    came: int, gone: list[tuple[str, int]], made: list[tuple[str, int]], splits: list[tuple[str, int]]
) -> Markup:
    """The way of the rows from top to bottom: in, out by reason, made, and where they are at the end."""
    total, at = max(came + sum(count for _, count in made), 1), came
    bars = [("came in", 0, came, "base", f"{came:,}")]
    for label, count in gone:
        at -= count
        bars.append((label, at, count, "bad", f"−{count:,}  ({count / max(came, 1):.1%})"))
    for label, count in made:
        bars.append((f"made: {label}", at, count, "good", f"+{count:,}"))
        at += count
    start = 0
    for (label, count), colour in zip(splits, ("tuned", "accent", "base"), strict=False):
        bars.append((label, start, count, colour, f"{count:,}  ({count / max(at, 1):.1%})"))
        start += count
    figure, axes = canvas(WIDE, 0.34 * len(bars) + 0.6)
    for place, (_, left, width, colour, text) in enumerate(bars):
        axes.barh(place, max(width, total / 600), left=left, color=COLOURS[colour], height=0.62)
        axes.text(left + width + total / 150, place, text, va="center", fontsize=8, color=COLOURS["ink"])
    axes.set_yticks(range(len(bars)), [textwrap.shorten(label, 40) for label, *_ in bars])
    axes.set(xlabel="rows", xlim=(0, total * 1.14))
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0, labelcolor=COLOURS["ink"])
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    return inline(figure, "flow", "The way of the rows")


@styled
def histogram(edges: list[float], counts: list[float], label: str, name: str) -> Markup:
    """Counts between edges, one edge more than counts."""
    figure, axes = canvas(HALF, 2.6)
    axes.stairs(counts, edges, fill=True, color=COLOURS["tuned"], alpha=0.75)
    axes.set(xlabel=label, ylabel="rows")
    axes.set_ylim(bottom=0)
    grid(axes)
    return inline(figure, name, label)


@styled
def timeline(starts: list[float], series: dict[str, list[float]], label: str, name: str) -> Markup:
    """Some quantities by window."""
    figure, axes = canvas(HALF, 2.6)
    for (title, values), colour in zip(series.items(), ("tuned", "accent", "base"), strict=False):
        axes.plot(starts, values, "o-", markersize=3, color=COLOURS[colour], label=title)
    axes.set(xlabel="window", ylabel=label)
    axes.set_ylim(bottom=0)
    grid(axes)
    axes.legend()
    return inline(figure, name, f"{label} by window")


@styled
def confusion(name: str, labels: list[str], counts: list[list[int]]) -> Markup:
    """How many rows of each label were said to have which: darker is a larger share of the label's rows."""
    figure, axes = canvas(HALF, max(3.2, 0.3 * len(labels) + 1.6))
    said = [*labels, "(no label)"] if any(row[-1] for row in counts) else list(labels)
    for true, row in enumerate(counts):
        for place in range(len(said)):
            share = row[place] / max(sum(row), 1)
            if share:
                colour = COLOURS["tuned"] if true == place else COLOURS["bad"]
                axes.fill_between([place - 0.5, place + 0.5], true - 0.5, true + 0.5, color=colour, alpha=share, lw=0)
                axes.text(place, true, str(row[place]), ha="center", va="center", fontsize=7)
    axes.set(xlim=(-0.5, len(said) - 0.5), ylim=(len(labels) - 0.5, -0.5), xlabel="said", ylabel="true")
    axes.set_xticks(range(len(said)), [textwrap.shorten(label, 18) for label in said], rotation=90, fontsize=7)
    axes.set_yticks(range(len(labels)), [textwrap.shorten(label, 18) for label in labels], fontsize=7)
    axes.set_title(name)
    return inline(figure, f"confusion-{re.sub('[^a-z0-9]', '-', name.lower())}", f"Labels of the {name} model")
