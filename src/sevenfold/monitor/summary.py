"""What ``sevenfold monitor RUN`` prints and plots."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sevenfold.monitor.observations import Observations, Observed
from sevenfold.record import writing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Table = tuple[str, list[str], list[list[str]]]
"""Title, columns and rows, as ``Console.table`` takes them."""


def tables(observations: Observations) -> list[Table]:
    """The tables of what was seen: the windows, and the newest window's findings."""
    if not observations.windows:
        return []
    return [windows_table(observations), findings_table(observations.windows[-1])]


def windows_table(observations: Observations) -> Table:
    """One row a window: requests, errors, latency, tokens, verdicts."""
    columns = [
        "until",
        "requests",
        "errors",
        "p50 s",
        "p95 s",
        "first token p95 s",
        "tokens in",
        "tokens out",
        "alarms",
    ]
    return f"traffic: {observations.requests} requests", columns, [window_row(item) for item in observations.windows]


def window_row(window: Observed) -> list[str]:
    """A window as cells."""
    metrics = window.metrics
    alarms = [finding.check for finding in window.findings if finding.verdict == "alarm"]
    return [
        datetime.fromtimestamp(window.end, UTC).strftime("%Y-%m-%d %H:%M:%S"),
        str(metrics.requests),
        str(metrics.errors),
        number(metrics.seconds["p50"]),
        number(metrics.seconds["p95"]),
        number(metrics.first_token_seconds["p95"]),
        str(metrics.prompt_tokens),
        str(metrics.completion_tokens),
        ", ".join(alarms) or "none",
    ]


def findings_table(window: Observed) -> Table:
    """One row a check: its verdict on the newest window, and why."""
    rows = [[finding.check, finding.verdict, finding.reason] for finding in window.findings]
    return "the newest window", ["check", "verdict", "reason"], rows


def number(value: float | None) -> str:
    """A figure as a cell; a dash where it could not be measured."""
    return "-" if value is None else f"{value:.3g}"


def plot(observations: Observations, path: Path) -> Path:
    """Latency, tokens and drift over the windows, as PNG or SVG by the file's ending.

    Args:
        observations: What was seen, at least one window.
        path: The picture to write.

    Returns:
        ``path``.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 8), layout="constrained")
    latency, tokens, drift = figure.subplots(3, 1, sharex=True)
    windows = observations.windows
    plot_latency(latency, windows)
    plot_tokens(tokens, windows)
    plot_drift(drift, windows)
    drift.set_xticks(range(len(windows)), [window_row(window)[0][5:16] for window in windows], rotation=45, ha="right")
    drift.set_xlabel("end of the window, UTC")
    with writing(path) as temporary:
        figure.savefig(temporary, format=path.suffix.removeprefix("."), dpi=120)
    return path


def plot_latency(axes: Axes, windows: list[Observed]) -> None:
    """The median and 95th centile of the answers' time."""
    for name, style in (("p50", "o-"), ("p95", "s--")):
        axes.plot([missing(window.metrics.seconds[name]) for window in windows], style, label=name)
    axes.plot([missing(window.metrics.first_token_seconds["p95"]) for window in windows], "^:", label="first token p95")
    axes.set_ylabel("seconds")
    axes.set_title("latency")
    axes.legend()


def plot_tokens(axes: Axes, windows: list[Observed]) -> None:
    """Tokens in and out."""
    axes.plot([window.metrics.prompt_tokens for window in windows], "o-", label="in")
    axes.plot([window.metrics.completion_tokens for window in windows], "s--", label="out")
    axes.set_ylabel("tokens")
    axes.set_title("tokens")
    axes.legend()


def plot_drift(axes: Axes, windows: list[Observed]) -> None:
    """The drift check's distances above chance; a ring marks an alarm."""
    findings = [[item for item in window.findings if item.check == "drift"] for window in windows]
    for name in ("length_psi_excess", "words_js_excess", "trigram_energy"):
        axes.plot([missing(found[0].figures[name]) if found else float("nan") for found in findings], "o-", label=name)
    alarms = [index for index, found in enumerate(findings) if found and found[0].verdict == "alarm"]
    axes.plot(alarms, [0] * len(alarms), "o", markersize=14, fillstyle="none", color="red", label="alarm")
    axes.set_ylabel("distance")
    axes.set_title("drift from the training prompts")
    axes.legend()


def missing(value: float | None) -> float:
    """A value for a plot: a gap where it could not be measured."""
    return float("nan") if value is None else value
