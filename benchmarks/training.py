"""Training speed and memory beside other ways to do the same work, in one run: ``make bench``.

Every contestant tunes the embedded model with a LoRA of rank 16 on all linear layers, batch 8, at most 512 tokens, loss
on replies only, on the same documented functions of the Python standard library. Each runs as a process of its own, in
turn, several rounds; medians and ratios go to ``benchmarks/RESULTS.md``. Peers that the project does not depend on
live in environments under ``.venvs``, made from the whole lists of packages in ``benchmarks/peers``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from common import differences

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
        # The list is whole. What a peer's metadata asks for beyond it has no build for a processor alone.
        wanted = ["--no-deps", "-r", str(HERE / "peers" / f"{peer}.txt")]
        subprocess.run([str(folder / "bin" / "pip"), "install", "--quiet", *wanted], check=True)
    return str(folder / "bin" / "python")


def run(command: list[str]) -> dict:
    """A contestant's JSON line."""
    ended = subprocess.run(command, capture_output=True, text=True, cwd=HERE, check=False)
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


def notes(rounds: list[list[dict]]) -> str:
    """The share of the machine's rate, and how far our losses are from the plain loop's at each precision."""
    first = {found["name"]: found for found in rounds[0]}
    ours = [found[0] for found in rounds]
    share = median(found["flops_per_second"] / found["matrix_rate"] for found in ours)
    reached, rate = (median(found[key] for found in ours) / 1e9 for key in ("flops_per_second", "matrix_rate"))
    lines = [f"Sevenfold reaches {share:.0%} of the rate of bfloat16 products ({reached:,.0f} of {rate:,.0f} GFLOP/s)."]
    for precision, mine in (("fp32", "sevenfold, fp32"), ("bf16", "sevenfold")):
        largest, mean = differences(first[mine]["losses"], first[f"transformers + PEFT, {precision}"]["losses"])
        lines.append(
            f"Losses of all steps beside transformers + PEFT in {precision}: "
            f"largest difference {largest:.1e} nats, mean {mean:.1e}."
        )
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
    # Every contestant waits as ours does, so that another process on the machine slows none of them more.
    cores.share()
    with tempfile.TemporaryDirectory() as folder:
        model, rows = prepared(Path(folder))
        shared = [str(model), str(rows), str(wanted.steps)]
        contestants = [
            [sys.executable, "ours.py", *shared],
            [sys.executable, "ours.py", *shared, "fp32"],
            [sys.executable, "plain.py", *shared],
            [sys.executable, "plain.py", *shared, "bf16"],
        ]
        if not wanted.no_peers:
            contestants += peers(shared)
        rounds = []
        for number in range(wanted.rounds):
            rounds.append([run(command) for command in contestants])
            sys.stderr.write(f"round {number + 1} of {wanted.rounds}: {json.dumps(rounds[-1])}\n")
    said = f"{rounds_of(wanted.rounds)} of {wanted.steps} steps; {machine()}"
    write("training", f"{table(rounds)}\n\n{notes(rounds)}\n\n{said}")


def peers(shared: list[str]) -> list[list[str]]:
    """The commands of contestants that live in environments of their own."""
    trl, factory = python_of("trl"), python_of("llamafactory")
    return [
        [trl, "trl_sft.py", *shared],
        [trl, "trl_sft.py", *shared, "best"],
        *([factory, "llamafactory_sft.py", *shared, choice] for choice in ("defaults", "best", "packed")),
    ]


def rounds_of(number: int) -> str:
    """How often everything ran."""
    return "1 round" if number == 1 else f"{number} rounds"


def write(mark: str, found: str) -> None:
    """Put a text between its marks in the results, and show it."""
    begin, end = f"<!-- {mark}:begin -->", f"<!-- {mark}:end -->"
    text = RESULTS.read_text(encoding="utf-8")
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    RESULTS.write_text(f"{before}{begin}\n{found}\n{end}{after}", encoding="utf-8")
    sys.stdout.write(found + "\n")


if __name__ == "__main__":
    main()
