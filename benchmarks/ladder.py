"""What each part of the engine brings, one at a time: ``make ladder``.

Upwards from the plain loop of transformers and PEFT, a part more on each rung; then downwards from all parts, each time
without one (and without those that need it). Every rung is a process of its own, on the same rows in the same order,
from the same adapters. Speeds, memory and the losses' differences go to ``benchmarks/RESULTS.md``.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from statistics import fmean, median

from common import differences
from training import machine, prepared, run, write

PARTS = {
    "bf16": "weights and products in bfloat16",
    "packed": "no padding: rows side by side, one mask",
    "documents": "attention by document",
    "short": "short documents' attention as plain products",
    "targets": "the head on targets only",
    "chunks": "the head in chunks",
    "lora": "adapter and base in one pass",
    "shared": "one pass for layers that read the same input",
    "passes": "balanced passes of 1,024 tokens",
    "cores": "settings of threads and of oneDNN",
}
NEEDS = {"documents": "packed", "short": "documents", "chunks": "targets", "shared": "lora", "passes": "packed"}
"""A part and the part without which it cannot be."""


def upwards() -> list[list[str]]:
    """The parts of each rung: none, then one more at a time."""
    return [list(PARTS)[:count] for count in range(len(PARTS) + 1)]


def without(part: str) -> list[str]:
    """All parts but one and those that need it."""
    gone = {part}
    # A part stands behind the one that it needs, so one walk finds all.
    for name in PARTS:
        if NEEDS.get(name) in gone:
            gone.add(name)
    return [name for name in PARTS if name not in gone]


def name_of(parts: list[str]) -> str:
    """A rung's name, under which its figures are kept."""
    return " ".join(parts) or "plain"


def measure(rungs: list[list[str]], shared: list[str], rounds: int) -> list[dict[str, dict]]:
    """For each round, what every rung found, by the rung's name."""
    found = []
    for number in range(rounds):
        found.append({name_of(parts): run([sys.executable, "ladder_rung.py", *shared, *parts]) for parts in rungs})
        sys.stderr.write(f"round {number + 1} of {rounds}: {json.dumps(found[-1])}\n")
    return found


def figures(rounds: list[dict[str, dict]], parts: list[str]) -> tuple[float, float]:
    """Tokens a second and peak bytes of a rung, medians over the rounds."""
    found = [one[name_of(parts)] for one in rounds]
    return median(one["tokens_per_second"] for one in found), median(one["peak_bytes"] for one in found)


def faster(rounds: list[dict[str, dict]], parts: list[str], than: list[str]) -> float:
    """The ratio of two rungs' speeds, median over the rounds."""
    pairs = [(one[name_of(parts)], one[name_of(than)]) for one in rounds]
    return median(fast["tokens_per_second"] / slow["tokens_per_second"] for fast, slow in pairs)


def up_table(rounds: list[dict[str, dict]]) -> str:
    """The ladder upwards."""
    rungs = upwards()
    lines = ["| | real tokens/s | over the rung before | over the first | peak memory |", "|---|---|---|---|---|"]
    for before, parts in zip([rungs[0], *rungs], rungs, strict=False):
        speed, peak = figures(rounds, parts)
        title = f"+ {PARTS[parts[-1]]}" if parts else "transformers + PEFT, fp32, padded"
        ratios = f"{faster(rounds, parts, before):.2f} x | {faster(rounds, parts, rungs[0]):.1f} x"
        lines.append(f"| {title} | {speed:,.0f} | {ratios} | {peak / 1e9:.1f} GB |")
    return "\n".join(lines)


def down_table(rounds: list[dict[str, dict]]) -> str:
    """All parts, and all but one."""
    everything = list(PARTS)
    lines = ["| | real tokens/s | of all parts | peak memory |", "|---|---|---|---|"]
    speed, peak = figures(rounds, everything)
    lines.append(f"| all parts | {speed:,.0f} | 100% | {peak / 1e9:.1f} GB |")
    for part, title in PARTS.items():
        parts = without(part)
        speed, peak = figures(rounds, parts)
        also = [PARTS[name] for name in PARTS if name != part and name not in parts]
        more = f" (and so without: {'; '.join(also)})" if also else ""
        share = faster(rounds, parts, everything)
        lines.append(f"| without: {title}{more} | {speed:,.0f} | {share:.0%} | {peak / 1e9:.1f} GB |")
    return "\n".join(lines)


def agreement(rounds: list[dict[str, dict]], rungs: list[list[str]]) -> str:
    """How far the losses of rungs of one precision are from the one with the fewest parts."""
    lines = []
    for precision, chosen in (("float32", False), ("bfloat16", True)):
        same = sorted((parts for parts in rungs if ("bf16" in parts) == chosen), key=len)
        reference = rounds[0][name_of(same[0])]["losses"]
        found = [differences(rounds[0][name_of(parts)]["losses"], reference) for parts in same[1:]]
        largest, mean = max(one[0] for one in found), fmean(one[1] for one in found)
        lines.append(
            f"Losses of all steps of the {len(same)} rungs in {precision}, beside the one with the fewest parts: "
            f"largest difference {largest:.1e} nats, mean {mean:.1e}."
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1, help="how often each rung runs")
    parser.add_argument("--steps", type=int, default=6, help="optimiser steps of a run; the first is warm-up")
    wanted = parser.parse_args()
    rungs = upwards()
    rungs += [parts for parts in map(without, PARTS) if parts not in rungs]
    with tempfile.TemporaryDirectory() as folder:
        model, rows = prepared(Path(folder))
        rounds = measure(rungs, [str(model), str(rows), str(wanted.steps)], wanted.rounds)
    said = f"{wanted.rounds} rounds of {wanted.steps} steps; {machine()}"
    write("ladder", "\n\n".join([up_table(rounds), down_table(rounds), agreement(rounds, rungs), said]))


if __name__ == "__main__":
    main()
