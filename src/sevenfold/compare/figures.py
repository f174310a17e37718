"""What a variant's run came to, from the files that its stages left."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sevenfold.record import Record

TAKEN = ("steps", "best_step", "trainable_parameters", "tokens", "tokens_per_second", "peak_memory_bytes")


def of_run(folder: Path) -> dict[str, Any]:
    """The figures of a run that is evaluated.

    Args:
        folder: The run's folder.

    Returns:
        Those of its training (``seconds`` is the time of its steps), ``size_bytes`` of what was learnt on disk,
        ``share`` of trained parameters in the base's, its ``objective`` as a recipe writes it, ``validation_loss`` and
        what else the objective ``watched`` on validation rows (``base_watched``: before the first step), and the report
        of its evaluation.
    """
    record = Record.open(folder)
    tuned, report = (result(record, stage) for stage in ("tune", "evaluate"))
    base = record.stages["load"].metrics
    losses = {int(step): loss for step, loss in tuned["validation_losses"].items()}
    watched = tuned.get("validation_figures", {})
    return {
        **{name: tuned[name] for name in TAKEN},
        "share": tuned["trainable_parameters"] / base["parameters"],
        "seconds": tuned["tokens"] / max(tuned["tokens_per_second"], 1e-9),
        "run_seconds": sum(stage.seconds for stage in record.stages.values()),
        "size_bytes": size(record.stage_folder("tune") / "weights"),
        "objective": tuned.get("objective", {"sft": {}}),
        "validation_loss": losses.get(tuned["best_step"]),
        "watched": watched.get(str(tuned["best_step"]), {}),
        "base_watched": watched.get("0", {}),
        "proofs": [proof["name"] for stage in record.stages.values() for proof in stage.proofs if not proof["passed"]],
        **{name: report[name] for name in ("rows", "available", "split", "metrics", "forgetting", "curve")},
        "base": {
            "model": record.stages["load"].section["model"],
            "parameters": base["parameters"],
            "size_bytes": base["size_bytes"],
            "validation_loss": losses.get(0),
            "metrics": {name: metric["base"] for name, metric in report["metrics"].items()},
        },
    }


def result(record: Record, stage: str) -> dict[str, Any]:
    """What a stage gave."""
    found: dict[str, Any] = json.loads((record.stage_folder(stage) / "result.json").read_text(encoding="utf-8"))
    return found


def size(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a file with one JSON object a line."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def rows(folder: Path) -> list[dict[str, Any]]:
    """The rows that a run was evaluated on, with its answers and every metric's values."""
    return lines(Record.open(folder).stage_folder("evaluate") / "rows.jsonl")


def tuned(folder: Path) -> dict[str, Any]:
    """What a run's training left: losses by step among it."""
    return result(Record.open(folder), "tune")
