"""How fast `prepare` is and how much memory it takes, beside a plain `datasets` pipeline and datatrove.

Each contestant does the same work on the same rows as a process of its own, in turn, several rounds; seconds are of the
whole process, memory is the largest sum of the resident memory of it and its children. ``throughput`` compares,
``size`` runs Sevenfold alone on two sizes and says what a row costs. Tables go to ``benchmarks/prepare.md``.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import psutil
from methods_parts.tables import between
from prepare_rows import write
from training import machine

HERE = Path(__file__).parent
PAGE = HERE / "prepare.md"
CONTESTANTS = {
    "Sevenfold": "prepare_ours.py",
    "datasets, by hand": "prepare_plain.py",
    "datatrove": "prepare_datatrove.py",
}
WORK = {"exact": "cleaned, exact duplicates", "near": "cleaned, exact and near-duplicates"}
BEAT = 0.1
"""Seconds between two looks at the memory."""


def one(name: str, source: Path, work: str, processes: int) -> dict[str, Any]:
    """Seconds, peak bytes and rows left of one run, or why it failed."""
    with tempfile.TemporaryDirectory(dir=source.parent) as folder:
        words = [sys.executable, str(HERE / CONTESTANTS[name]), str(source), f"{folder}/out", work, str(processes)]
        begun, peak = time.perf_counter(), 0
        with open(f"{folder}/said", "w+b") as said, open(f"{folder}/errors", "w+b") as errors:
            process = subprocess.Popen(words, stdout=said, stderr=errors, cwd=HERE)
            while process.poll() is None:
                peak = max(peak, memory(process.pid))
                time.sleep(BEAT)
            seconds = time.perf_counter() - begun
            said.seek(0)
            errors.seek(0)
            if process.returncode:
                raise SystemExit(f"{name} failed: {errors.read()[-2000:].decode()}")
            rows = json.loads(said.read().splitlines()[-1])["rows"]
        shutil.rmtree(f"{folder}/out", ignore_errors=True)
    sys.stderr.write(f"{name}, {work}: {seconds:.1f} s, {peak / 1e6:.0f} MB, {rows} rows\n")
    return {"name": name, "work": work, "seconds": seconds, "peak": peak, "rows": rows}


def memory(pid: int) -> int:
    """Resident bytes of a process and its children."""
    total = 0
    try:
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    for process in family:
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


def throughput(wanted: argparse.Namespace, folder: Path) -> str:
    """The table of all contestants."""
    source = folder / "rows.jsonl"
    size = write(source, wanted.rows)
    lines = [
        "| work | | rows/s | MB/s | Sevenfold is faster by | peak memory, MB | rows left |",
        "|---|---|---|---|---|---|---|",
    ]
    for work in wanted.work:
        found = [one(name, source, work, wanted.processes) for _ in range(wanted.rounds) for name in CONTESTANTS]
        ours = median(run["seconds"] for run in found if run["name"] == "Sevenfold")
        for name in CONTESTANTS:
            mine = [run for run in found if run["name"] == name]
            seconds = median(run["seconds"] for run in mine)
            lines.append(
                f"| {WORK[work]} | {name} | {wanted.rows / seconds:,.0f} | {size / seconds / 1e6:.2f} | "
                f"{seconds / ours:.2f} | {max(run['peak'] for run in mine) / 1e6:,.0f} | {mine[0]['rows']:,} |"
            )
    head = (
        f"{wanted.rows:,} rows, {size / 1e6:.0f} MB; the median of {wanted.rounds} rounds, {wanted.processes} processes"
    )
    return f"{head}; {machine()}.\n\n" + "\n".join(lines)


def size(wanted: argparse.Namespace, folder: Path) -> str:
    """The table of Sevenfold's memory at growing sizes."""
    lines, before = (
        ["| rows | minutes | rows/s | peak memory, MB | bytes a row more | rows left |", "|---|---|---|---|---|---|"],
        None,
    )
    for count in wanted.sizes:
        source = folder / "rows.jsonl"
        write(source, count)
        run = one("Sevenfold", source, "near", wanted.processes)
        more = "" if before is None else f"{(run['peak'] - before[1]) / (count - before[0]):,.0f}"
        speed = count / run["seconds"]
        lines.append(
            f"| {count:,} | {run['seconds'] / 60:.1f} | {speed:,.0f} | {run['peak'] / 1e6:,.0f} | {more} "
            f"| {run['rows']:,} |"
        )
        before = count, run["peak"]
    return f"{WORK['near']}, {wanted.processes} processes; {machine()}.\n\n" + "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="where the files lie; not given: a temporary folder")
    parts = parser.add_subparsers(required=True)
    part = parts.add_parser("throughput")
    part.add_argument("--rows", type=int, default=200_000)
    part.add_argument("--rounds", type=int, default=3)
    part.add_argument("--work", nargs="+", choices=WORK, default=list(WORK))
    part.set_defaults(run=throughput, mark="throughput")
    part = parts.add_parser("size")
    part.add_argument("--sizes", type=int, nargs="+", default=[250_000, 1_000_000])
    part.set_defaults(run=size, mark="size")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=wanted.folder) as folder:
        found = wanted.run(wanted, Path(folder))
    sys.stdout.write(found + "\n")
    PAGE.write_text(between(PAGE.read_text(encoding="utf-8"), wanted.mark, found), encoding="utf-8")


if __name__ == "__main__":
    main()
