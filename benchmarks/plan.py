"""What ``sevenfold plan`` says beside what training then takes: ``benchmarks/plan.py``.

Five recipes of different shape on the embedded model: method, length, batch and precision. Each is planned and trained
by commands of their own, as a user would; the table goes to ``benchmarks/RESULTS.md``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from training import machine, write

RECIPE = """
name: NAME
prepare:
  source: {python: stdlib}
  clean: [empty, {length: 3000}]
load:
  model: smollm2-135m
tune:
  checkpoint_every: 1000
  validation_rows: 8
  validate_every: 1000
"""
RECIPES: dict[str, dict[str, object]] = {
    "LoRA, bfloat16, 512 tokens, batch 8": {},
    "full, float32, 256 tokens, batch 4": {
        "tune.method": "full",
        "setup.precision": "float32",
        "tune.max_length": 256,
        "tune.batch": 4,
        "tune.learning_rate": 1e-5,
    },
    "LoRA, float32, 256 tokens, batch 16": {
        "setup.precision": "float32",
        "tune.max_length": 256,
        "tune.batch": 16,
        "tune.tokens_per_pass": 768,
    },
    "last two blocks, bfloat16, 512 tokens, batch 16": {
        "tune.method": "{layers: {last: 2}}",
        "tune.batch": 16,
        "tune.tokens_per_pass": 2048,
        "tune.engine.trunk_cache": "never",
    },
    "LoRA, recomputed, bfloat16, 1,024 tokens, batch 16": {
        "tune.max_length": 1024,
        "tune.batch": 16,
        "tune.tokens_per_pass": 4096,
        "tune.engine.activations": "recompute",
    },
}


def command(verb: str, folder: Path, fields: dict[str, object], *options: str) -> dict:
    """The JSON of a command on a recipe."""
    recipe = folder / "recipe.yaml"
    recipe.write_text(RECIPE.replace("NAME", folder.name), encoding="utf-8")
    settings = [part for key, value in fields.items() for part in ("--set", f"{key}={value}")]
    words = [
        str(Path(sys.executable).with_name("sevenfold")),
        verb,
        str(recipe),
        "--runs",
        str(folder),
        "--json",
        *settings,
        *options,
    ]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise SystemExit(f"{' '.join(words)}\n{ended.stdout[-2000:]}{ended.stderr[-3000:]}")
    found: dict = json.loads(ended.stdout)
    return found


def taken(folder: Path) -> tuple[int, float, int]:
    """Peak bytes, seconds and tokens of a training's own record."""
    (place,) = folder.glob("*/4-tune")
    tuned = json.loads((place / "result.json").read_text(encoding="utf-8"))
    steps = [json.loads(line) for line in (place / "history.jsonl").read_text(encoding="utf-8").splitlines()]
    return tuned["peak_memory_bytes"], sum(step["seconds"] for step in steps), tuned["tokens"]


def row(name: str, fields: dict[str, object], steps: int) -> dict:
    """One recipe planned and trained."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        fields = {**fields, "tune.steps": steps}
        plan = command("plan", folder, fields)
        command("tune", folder, fields)
        peak, seconds, tokens = taken(folder)
    found = {
        "recipe": name,
        "parts": plan["total_bytes"],
        "planned": plan["measured"]["peak_bytes"],
        "peak": peak,
        "planned_seconds": plan["measured"]["total_seconds"],
        "seconds": seconds,
        "tokens": tokens,
    }
    sys.stderr.write(json.dumps(found) + "\n")
    return found


def table(rows: list[dict]) -> str:
    """The Markdown table."""
    lines = [
        "| recipe | memory planned | taken | off by | by arithmetic alone | time planned | taken | off by |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for found in rows:
        memory, time = found["planned"] / found["peak"] - 1, found["planned_seconds"] / found["seconds"] - 1
        alone = found["parts"] / found["peak"] - 1
        lines.append(
            f"| {found['recipe']} | {found['planned'] / 1e9:.2f} GB | {found['peak'] / 1e9:.2f} GB | {memory:+.0%} "
            f"| {alone:+.0%} | {found['planned_seconds']:.0f} s | {found['seconds']:.0f} s "
            f"| {time:+.0%} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=20, help="optimiser steps of each training")
    wanted = parser.parse_args()
    rows = [row(name, fields, wanted.steps) for name, fields in RECIPES.items()]
    write("plan", f"{table(rows)}\n\n{wanted.steps} steps each; {machine()}")


if __name__ == "__main__":
    main()
