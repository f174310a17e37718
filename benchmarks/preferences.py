"""Speed and memory of preference training beside TRL, in one run: ``make bench-preferences``.

Both tune the embedded model with DPO and a LoRA of rank 16 on all linear layers, batch 8 pairs, at most 512 tokens,
from the same adapters, on the same pairs in the same order: documented functions of the Python standard library, with
the function's own documentation preferred to another one's. Each contestant runs as a process of its own, in turn,
several rounds; medians and ratios, and the losses step by step, go to ``benchmarks/objectives.md``.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from statistics import median

from common import BATCH, MAX_LENGTH, Pair, differences
from training import machine, prepared, python_of, rounds_of, run

from sevenfold import cores

RESULTS = Path(__file__).parent / "objectives.md"
OURS, OURS32, TRL, TRL_BEST = "sevenfold", "sevenfold, fp32", "TRL, its defaults", "TRL, its best"


def pairs(model: Path, rows: Path, count: int) -> Path:
    """The pairs as both read them: the words, and the texts whose tokens are those of the words.

    A pair with a text over the limit is left out: the two would cut it in different places.
    """
    from sevenfold.chat.conversation import Conversation
    from sevenfold.load.section import LoadSection
    from sevenfold.load.stage import load
    from sevenfold.record import Entry

    encoder = load(LoadSection(model=str(model)), Entry(Path(tempfile.mkdtemp()))).encoder()
    conversations = [Conversation.of(json.loads(line)) for line in rows.read_text(encoding="utf-8").splitlines()]
    found = []
    for own, other in zip(conversations, [*conversations[1:], conversations[0]], strict=True):
        prompt, chosen, rejected = own.prompt(), own.messages[-1], other.messages[-1]
        ids = [encoder.reply((*prompt, answer), len(prompt)) for answer in (chosen, rejected)]
        longest = len(encoder.prompt(prompt)) + max(map(len, ids))
        if longest <= MAX_LENGTH and chosen.content != rejected.content:
            texts = [encoder.render(prompt, reply_follows=True), *map(encoder.decode, ids)]
            found.append(Pair([message.as_dict() for message in own.messages], rejected.content, texts))
    place = rows.with_name("pairs.jsonl")
    place.write_text("".join(f"{json.dumps(asdict(pair))}\n" for pair in found[: count * BATCH]), encoding="utf-8")
    return place


def table(rounds: list[list[dict]]) -> str:
    """Medians over the rounds, and the ratio of ours to each, round by round."""
    lines = [
        "| | pairs/s | ours is faster by | peak memory | ours takes | last loss |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    ours = [found[0] for found in rounds]
    for contestant in zip(*rounds, strict=True):
        both = list(zip(ours, contestant, strict=True))
        speed = median(found["rows_per_second"] for found in contestant)
        peak = median(found["peak_bytes"] for found in contestant)
        faster = median(mine["rows_per_second"] / theirs["rows_per_second"] for mine, theirs in both)
        share = median(mine["peak_bytes"] / theirs["peak_bytes"] for mine, theirs in both)
        name, loss = contestant[0]["name"], contestant[0]["losses"][-1]
        lines.append(f"| {name} | {speed:.2f} | {faster:.1f} x | {peak / 1e9:.1f} GB | {share:.0%} | {loss:.4f} |")
    return "\n".join(lines)


def notes(rounds: list[list[dict]]) -> str:
    """How far our losses are from TRL's at each precision, step by step, and what each read."""
    first = {found["name"]: found for found in rounds[0]}
    lines = []
    for mine, theirs in ((OURS32, TRL), (OURS, TRL_BEST)):
        if mine in first and theirs in first:
            largest, mean = differences(first[mine]["losses"], first[theirs]["losses"])
            steps = " ".join(f"{loss:.4f}" for loss in first[mine]["losses"])
            lines.append(
                f"Losses of {mine} beside {theirs}: largest difference {largest:.1e} nats, mean {mean:.1e} ({steps})."
            )
    for found in rounds[0]:
        lines.append(
            f"{found['name']}: {found['prepared']:.1f} s of its time for what the model says at the start, "
            f"{found['tokens']:,} tokens read in all."
        )
    return "\n".join(lines)


def write(mark: str, found: str) -> None:
    """Put a text between its marks in the results, and show it."""
    begin, end = f"<!-- {mark}:begin -->", f"<!-- {mark}:end -->"
    text = RESULTS.read_text(encoding="utf-8")
    before, _, rest = text.partition(begin)
    after = rest.partition(end)[2]
    RESULTS.write_text(f"{before}{begin}\n{found}\n{end}{after}", encoding="utf-8")
    sys.stdout.write(found + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often each contestant runs")
    parser.add_argument("--steps", type=int, default=4, help="optimiser steps of a run; the first is warm-up")
    parser.add_argument("--no-peers", action="store_true", help="leave TRL out, which needs 23 GB; writes nothing")
    wanted = parser.parse_args()
    # Every contestant waits as ours does, so that another process on the machine slows none of them more.
    cores.share()
    with tempfile.TemporaryDirectory() as folder:
        model, rows = prepared(Path(folder))
        shared = [str(model), str(pairs(model, rows, wanted.steps))]
        contestants = [[sys.executable, "dpo_ours.py", *shared], [sys.executable, "dpo_ours.py", *shared, "fp32"]]
        if not wanted.no_peers:
            trl = python_of("trl")
            contestants += [[trl, "dpo_trl.py", *shared], [trl, "dpo_trl.py", *shared, "best"]]
        rounds = []
        for number in range(wanted.rounds):
            rounds.append([run(command) for command in contestants])
            sys.stderr.write(f"round {number + 1} of {wanted.rounds}: {json.dumps(rounds[-1])}\n")
    said = f"{rounds_of(wanted.rounds)} of {wanted.steps} steps of {BATCH} pairs; {machine()}"
    found = f"{table(rounds)}\n\n{notes(rounds)}\n\n{said}"
    if wanted.no_peers:
        sys.stdout.write(found + "\n")
    else:
        write("dpo", found)


if __name__ == "__main__":
    main()
