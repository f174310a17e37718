"""Training speed and memory beside other ways to do the same work, in one run: ``make bench``.

Every contestant tunes the embedded model with a LoRA of rank 16 on all linear layers, batch 8, at most 512 tokens, loss
on replies only, on the same documented functions of the Python standard library. Each runs as a process of its own, in
turn, several rounds; medians and ratios go to ``benchmarks/RESULTS.md``. Peers that the project does not depend on
live in environments under ``.venvs``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from sevenfold import cores

HERE = Path(__file__).parent
RESULTS = HERE / "RESULTS.md"


def prepared(folder: Path) -> tuple[Path, Path]:
    """The embedded model in Hugging Face's layout with its safe tokenizer, and the rows."""
    import sevenfold

    dataset = sevenfold.prepare(folder / "1-prepare", source={"python": "stdlib"}, clean=["empty", {"length": 1800}])
    model = sevenfold.load(folder / "2-load")
    place = folder / "model"
    place.mkdir()
    for path in [*model.weights.iterdir(), *model.tokenizer_folder.iterdir()]:
        # The tokenizer's own files come last and win over those beside the weights.
        (place / path.name).unlink(missing_ok=True)
        (place / path.name).symlink_to(path.resolve())
    rows = folder / "rows.jsonl"
    with rows.open("w", encoding="utf-8") as file:
        for row in dataset.head("train", 400):
            file.write(json.dumps([message.as_dict() for message in row.conversation.messages]) + "\n")
    return place, rows


def python_of(peer: str) -> str:
    """The interpreter of a peer's own environment, made when it is not there."""
    folder = HERE.parent / ".venvs" / peer
    if not (folder / "bin" / "python").exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        wanted = str(HERE / "peers" / f"{peer}.txt")
        subprocess.run([str(folder / "bin" / "pip"), "install", "--quiet", "-r", wanted], check=True)
    return str(folder / "bin" / "python")


def run(command: list[str]) -> dict:
    """A contestant's JSON line."""
    # Every contestant waits as ours does, so that another process on the machine slows none of them more.
    cores.share()
    settings = dict(os.environ)
    ended = subprocess.run(command, capture_output=True, text=True, cwd=HERE, check=False, env=settings)
    if ended.returncode:
        raise SystemExit(f"{' '.join(command)}\n{ended.stderr[-3000:]}")
    return json.loads(ended.stdout.strip().splitlines()[-1])


def table(rounds: list[list[dict]]) -> str:
    """Medians over the rounds, and the ratio of ours to each, round by round."""
    lines = [
        "| | real tokens/s | ours is faster by | peak memory | ours takes | last loss |",
        "|---|---|---|---|---|---|",
    ]
    ours = [found[0] for found in rounds]
    for contestant in zip(*rounds, strict=True):
        speed = median(found["tokens_per_second"] for found in contestant)
        peak = median(found["peak_bytes"] for found in contestant)
        pairs = list(zip(ours, contestant, strict=True))
        faster = median(mine["tokens_per_second"] / theirs["tokens_per_second"] for mine, theirs in pairs)
        share = median(mine["peak_bytes"] / theirs["peak_bytes"] for mine, theirs in pairs)
        name, loss = contestant[0]["name"], contestant[0]["losses"][-1]
        lines.append(f"| {name} | {speed:,.0f} | {faster:.1f} x | {peak / 1e9:.1f} GB | {share:.0%} | {loss:.3f} |")
    return "\n".join(lines)


def machine() -> str:
    """What this was measured on, and the versions."""
    import torch
    import transformers

    from sevenfold.setup.snapshot import processor

    return (
        f"{processor()}, {torch.get_num_threads()} cores, torch {torch.__version__}, "
        f"transformers {transformers.__version__}, {datetime.now(UTC):%Y-%m-%d}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often each contestant runs")
    parser.add_argument("--steps", type=int, default=6, help="optimiser steps of a run; the first is warm-up")
    parser.add_argument("--no-peers", action="store_true", help="leave out what needs an environment of its own")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model, rows = prepared(Path(folder))
        shared = [str(model), str(rows), str(wanted.steps)]
        contestants = [
            [sys.executable, "ours.py", *shared],
            [sys.executable, "plain.py", *shared],
            [sys.executable, "plain.py", *shared, "bf16"],
        ]
        if not wanted.no_peers:
            trl = python_of("trl")
            contestants += [[trl, "trl_sft.py", *shared], [trl, "trl_sft.py", *shared, "best"]]
        rounds = []
        for number in range(wanted.rounds):
            rounds.append([run(command) for command in contestants])
            sys.stderr.write(f"round {number + 1} of {wanted.rounds}: {json.dumps(rounds[-1])}\n")
    write(table(rounds), wanted)


def write(found: str, wanted: argparse.Namespace) -> None:
    """Put the table between its marks in the results, and show it."""
    begin, end = "<!-- training:begin -->", "<!-- training:end -->"
    text = RESULTS.read_text(encoding="utf-8")
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    said = f"{wanted.rounds} rounds of {wanted.steps} steps; {machine()}"
    RESULTS.write_text(f"{before}{begin}\n{found}\n\n{said}\n{end}{after}", encoding="utf-8")
    sys.stdout.write(found + "\n" + said + "\n")


if __name__ == "__main__":
    main()
