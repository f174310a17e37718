"""What a run came to, as JSON and as tables; read from the record alone."""

from __future__ import annotations

from typing import Any

from sevenfold.console import Console
from sevenfold.record import Record, StageRecord

HEADLINE = ("tokens_per_second", "peak_memory_bytes", "trainable_parameters", "losses")


def as_json(record: Record, stage: str) -> dict[str, Any]:
    """The object of a stage's ``--json``: the stage's figures at the top, every stage's below ``stages``."""
    return whole(record, stage, record.stages[stage].metrics)


def run_as_json(record: Record) -> dict[str, Any]:
    """The object of ``run --json``: the training's headline at the top, every stage's figures below ``stages``."""
    tuned = record.stages["tune"].metrics
    return whole(record, "monitor", {name: tuned[name] for name in HEADLINE if name in tuned})


def whole(record: Record, stage: str, top: dict[str, Any]) -> dict[str, Any]:
    """A run as one object, with some figures at the top."""
    return {
        **top,
        "run": record.name,
        "folder": str(record.folder),
        "stage": stage,
        "proofs": [proof for stage in record.stages.values() for proof in stage.proofs],
        "stages": {name: stage.metrics for name, stage in record.stages.items()},
    }


def show(record: Record, last: str, console: Console) -> None:
    """The last stage's figures, and after an evaluation the comparison with the base."""
    evaluation = record.stages.get("evaluate")
    if evaluation and last in ("evaluate", "deploy", "monitor"):
        show_comparison(evaluation.metrics, console)
    elif last in record.stages:
        show_metrics(last, record.stages[last].metrics, console)


def show_comparison(metrics: dict[str, Any], console: Console) -> None:
    """Base against tuned on the same rows, with the paired interval of the difference."""
    rows = [comparison_row(name, metric) for name, metric in metrics.get("metrics", {}).items()]
    console.table(
        "base against tuned, same held-out rows",
        ["metric", "base", "tuned", "difference", "95 % interval", "better"],
        rows,
    )

    for group, comparisons in metrics.get("groups", {}).items():
        count = next(iter(comparisons.values()))["rows"]
        title = f"{metrics['grouped_by']} {group}: {count} rows"
        rows = [comparison_row(name, metric) for name, metric in comparisons.items()]
        console.table(title, ["metric", "base", "tuned", "difference", "95 % interval", "better"], rows)


def comparison_row(name: str, metric: dict[str, Any]) -> list[str]:
    """One metric's line."""
    low, high = metric["interval"]
    figures = [f"{metric[key]:.4g}" for key in ("base", "tuned", "difference")]
    return [name, *figures, f"[{low:.4g}, {high:.4g}]", str(metric["better"])]


def show_metrics(stage: str, metrics: dict[str, Any], console: Console) -> None:
    """A stage's plain figures."""
    plain = [[name, f"{value:,}" if isinstance(value, int) else value] for name, value in metrics.items()]
    console.table(stage, ["figure", "value"], [row for row in plain if not isinstance(row[1], list | dict)])


def show_record(record: Record, console: Console) -> None:
    """Every stage of a run: state, time, identity, figures, notes and proofs."""
    rows = [
        [name, state(stage, record), f"{stage.seconds:,.1f} s", stage.identity[:12]]
        for name, stage in record.stages.items()
    ]
    console.table(f"run {record.name}", ["stage", "state", "time", "identity"], rows)
    for name, stage in record.stages.items():
        show_metrics(name, stage.metrics, console)
        for note in stage.notes:
            console.say(f"  {name}: {note}")
    proofs = [proof for stage in record.stages.values() for proof in stage.proofs]
    if proofs:
        show_proofs(proofs, console)


def state(stage: StageRecord, record: Record) -> str:
    """A stage's state, and whether a stage that it was made from has changed since."""
    changed = [
        need
        for need, identity in stage.parents.items()
        if need in record.stages and record.stages[need].identity != identity
    ]
    return f"{stage.state}, of an earlier {', '.join(changed)}" if changed else stage.state


def show_proofs(proofs: list[dict[str, Any]], console: Console) -> None:
    """The proofs of a run."""
    rows = [
        [
            proof["name"],
            proof["when"],
            "proved" if proof["passed"] else "FAILED",
            f"{proof['figure']:.3g}",
            f"{proof['limit']:g}",
            proof["unit"],
        ]
        for proof in proofs
    ]
    console.table("proofs", ["proof", "when", "verdict", "figure", "limit", "unit"], rows)
