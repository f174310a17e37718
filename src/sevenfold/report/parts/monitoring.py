"""What monitoring saw: traffic, latency, checks, alerts."""

from __future__ import annotations

from typing import Any

from sevenfold.report import plots
from sevenfold.report.blocks import Cell, Figures, Part, Plot, Table
from sevenfold.report.facts import Facts
from sevenfold.report.words import duration, number, plain

TONES = {"ok": "good", "alarm": "bad", "unknown": "unsure"}


def part(facts: Facts) -> Part | None:
    """The newest windows of traffic."""
    seen = facts.json("monitor")
    if seen is None:
        return None
    source = facts.path("monitor", "result.json")
    firing = seen["firing"]
    blocks: list[Any] = [
        Figures(
            [
                ("requests kept", number(seen["requests"])),
                ("training prompts compared with", number(seen["compared_prompts"])),
                ("rules that fire", Cell(", ".join(firing) or "none", "bad" if firing else "good")),
            ],
            source,
        )
    ]
    windows = seen["windows"]
    if windows:
        blocks += [newest(windows[-1]["metrics"], source), checks(windows[-1]["findings"], source)]
    if len(windows) > 1:
        blocks += over_time(windows, source)
    if seen["events"]:
        rows = [(event["time"], event["state"], event["rule"], event["reason"]) for event in seen["events"]]
        blocks.append(Table(("time", "state", "rule", "reason"), rows, source, words=True))
    return Part("Monitoring", blocks)


def newest(metrics: dict[str, Any], source: str) -> Figures:
    """The figures of the newest window."""
    latencies = [
        (f"{title} {centile}", duration(value))
        for key, title in (("seconds", "answer"), ("first_token_seconds", "first token"))
        for centile, value in metrics[key].items()
        if value is not None and centile != "p99"
    ]
    errors = Cell(number(metrics["errors"]), "bad" if metrics["errors"] else "good")
    return Figures(
        [("requests in the newest window", number(metrics["requests"])), ("errors", errors), *latencies], source
    )


def checks(findings: list[dict[str, Any]], source: str) -> Table:
    """What each check found in the newest window."""
    rows = [
        (plain(finding["check"]), Cell(finding["verdict"], TONES[finding["verdict"]]), finding["reason"])
        for finding in findings
    ]
    return Table(("check", "verdict", "reason"), rows, source, words=True)


def over_time(windows: list[dict[str, Any]], source: str) -> list[Plot]:
    """Latency and requests by window."""
    at = [float(index + 1) for index in range(len(windows))]
    latency = {
        centile: [window["metrics"]["seconds"][centile] or 0.0 for window in windows] for centile in ("p50", "p95")
    }
    requests = {"requests": [float(window["metrics"]["requests"]) for window in windows]}
    caption = f"The newest {len(windows)} windows, oldest first."
    return [
        Plot(plots.timeline(at, latency, "seconds to the answer", "latency"), caption, source),
        Plot(plots.timeline(at, requests, "requests", "requests"), caption, source),
    ]
