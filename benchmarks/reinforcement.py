"""Speed and memory of reinforcement beside TRL's GRPOTrainer, in one run: ``make bench-reinforcement``.

Both tune the embedded model with GRPO and a LoRA of rank 16 on all linear layers: 8 prompts a step, 8 answers to each,
32 tokens at most, the same reward, the same prompts, from the same adapters. A step is drawing, judging and one update.
Each contestant runs as a process of its own, in turn, several rounds; medians and ratios go to
``benchmarks/objectives.md``. What is drawn is a matter of chance, so the numbers of tokens differ; both are counted.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from statistics import median

from common import ANSWERS, BATCH, NEW_TOKENS
from preferences import write
from training import machine, prepared, python_of, rounds_of, run

from sevenfold import cores


def dates(folder: Path, count: int) -> Path:
    """Prompts with the answers that are compared with: dates in other forms, from the Unicode CLDR."""
    import sevenfold

    source = {"cldr": {"languages": ["en", "en_GB"], "kinds": ["dates"], "count": count * 2}}
    dataset = sevenfold.prepare(folder / "dates", source=source)
    place = folder / "dates.jsonl"
    with place.open("w", encoding="utf-8") as file:
        for row in dataset.head("train", count):
            file.write(json.dumps([message.as_dict() for message in row.conversation.messages]) + "\n")
    return place


def table(rounds: list[list[dict]]) -> str:
    """Medians over the rounds, and the ratio of ours to each, round by round."""
    lines = [
        "| | answers/s | ours is faster by | tokens drawn/s | peak memory | ours takes | first and last reward |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    ours = [found[0] for found in rounds]
    for contestant in zip(*rounds, strict=True):
        both = list(zip(ours, contestant, strict=True))
        speed, tokens, peak = (
            median(found[key] for found in contestant)
            for key in ("answers_per_second", "tokens_per_second", "peak_bytes")
        )
        faster = median(mine["answers_per_second"] / theirs["answers_per_second"] for mine, theirs in both)
        share = median(mine["peak_bytes"] / theirs["peak_bytes"] for mine, theirs in both)
        name, rewards = contestant[0]["name"], contestant[0]["rewards"]
        lines.append(
            f"| {name} | {speed:.1f} | {faster:.1f} x | {tokens:,.0f} | {peak / 1e9:.1f} GB | {share:.0%} | "
            f"{rewards[0]:.3f}, {rewards[-1]:.3f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often each contestant runs")
    parser.add_argument("--steps", type=int, default=4, help="steps of a run; the first is warm-up")
    parser.add_argument("--no-peers", action="store_true", help="leave TRL out; writes nothing")
    wanted = parser.parse_args()
    # Every contestant waits as ours does, so that another process on the machine slows none of them more.
    cores.share()
    with tempfile.TemporaryDirectory() as folder:
        model, _ = prepared(Path(folder))
        shared = [str(model), str(dates(Path(folder), wanted.steps * BATCH)), str(wanted.steps)]
        contestants = [[sys.executable, "grpo_ours.py", *shared], [sys.executable, "grpo_ours.py", *shared, "fp32"]]
        if not wanted.no_peers:
            trl = python_of("trl")
            contestants += [[trl, "grpo_trl.py", *shared], [trl, "grpo_trl.py", *shared, "best"]]
        rounds = []
        for number in range(wanted.rounds):
            rounds.append([run(command) for command in contestants])
            sys.stderr.write(f"round {number + 1} of {wanted.rounds}: {json.dumps(rounds[-1])}\n")
    size = f"{BATCH} prompts, {ANSWERS} answers to each, {NEW_TOKENS} tokens at most"
    said = f"{rounds_of(wanted.rounds)} of {wanted.steps} steps of {size}; {machine()}"
    found = f"{table(rounds)}\n\n{said}"
    if wanted.no_peers:
        sys.stdout.write(found + "\n")
    else:
        write("grpo", found)


if __name__ == "__main__":
    main()
