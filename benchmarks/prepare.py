"""How fast `prepare` is and how much memory it takes, beside a plain `datasets` pipeline and datatrove.

Each contestant does the same work on the same rows as a process of its own, in turn, several rounds; seconds are of the
whole process, memory is the largest sum of the resident memory of it and its children. ``throughput`` compares,
``size`` runs Sevenfold alone on two sizes and says what a row costs. Tables go to ``benchmarks/prepare.md``.
"""

from __future__ import annotations

import argparse
import json
import os
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


def one(name: str, source: Path, work: str, processes: int, *more: str) -> dict[str, Any]:
    """Seconds, peak bytes (in all, and without pages of files) and rows left of one run, or why it failed."""
    with tempfile.TemporaryDirectory(dir=source.parent) as folder:
        words = [
            sys.executable,
            str(HERE / CONTESTANTS[name]),
            str(source),
            f"{folder}/out",
            work,
            str(processes),
            *more,
        ]
        begun, peak, own = time.perf_counter(), 0, 0
        with open(f"{folder}/said", "w+b") as said, open(f"{folder}/errors", "w+b") as errors:
            process = subprocess.Popen(words, stdout=said, stderr=errors, cwd=HERE)
            while process.poll() is None:
                found = memory(process.pid)
                peak, own = max(peak, found[0]), max(own, found[1])
                time.sleep(BEAT)
            seconds = time.perf_counter() - begun
            said.seek(0)
            errors.seek(0)
            if process.returncode:
                raise SystemExit(f"{name} failed: {errors.read()[-2000:].decode()}")
            rows = json.loads(said.read().splitlines()[-1])["rows"]
        shutil.rmtree(f"{folder}/out", ignore_errors=True)
    sys.stderr.write(f"{name}, {work}: {seconds:.1f} s, {peak / 1e6:.0f} MB, {rows} rows\n")
    return {"name": name, "work": work, "seconds": seconds, "peak": peak, "own": own, "rows": rows}


def memory(pid: int) -> tuple[int, int]:
    """Resident bytes of a process and its children: in all, and those that are no pages of files."""
    total, own = 0, 0
    try:
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0, 0
    for process in family:
        try:
            found = process.memory_info()
        except psutil.NoSuchProcess:
            continue
        total, own = total + found.rss, own + found.rss - getattr(found, "shared", 0)
    return total, own


def load() -> str:
    """What else the machine had to do: the load of the last minutes, in which the measured processes count too."""
    return f"load {os.getloadavg()[2]:.1f}"


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
    return f"{head}; {machine()}, {load()}.\n\n" + "\n".join(lines)


def size(wanted: argparse.Namespace, folder: Path) -> str:
    """The table of Sevenfold's memory at growing sizes."""
    lines, before = ["| rows | MB | minutes | rows/s | MB/s | peak memory, MB | without pages of files, MB "], None
    lines = [f"{lines[0]}| bytes a row more | rows left |", "|---|---|---|---|---|---|---|---|---|"]
    for count in wanted.sizes:
        source = folder / "rows.jsonl"
        megabytes = write(source, count) / 1e6
        run = one("Sevenfold", source, "near", wanted.processes, "split")
        run |= {"rows_in": count, "megabytes": megabytes, "load": os.getloadavg()}
        if wanted.json:
            with wanted.json.open("a", encoding="utf-8") as file:
                file.write(json.dumps(run) + "\n")
        more = "" if before is None else f"{(run['own'] - before[1]) / (count - before[0]):,.0f}"
        seconds = run["seconds"]
        lines.append(
            f"| {count:,} | {megabytes:,.0f} | {seconds / 60:.1f} | {count / seconds:,.0f} | {megabytes / seconds:.2f} "
            f"| {run['peak'] / 1e6:,.0f} | {run['own'] / 1e6:,.0f} | {more} | {run['rows']:,} |"
        )
        before = count, run["own"]
    head = f"{WORK['near']}, a tenth held out for validation and a tenth for test, {wanted.processes} processes"
    return f"{head}; {machine()}, {load()}.\n\n" + "\n".join(lines)


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
    part.add_argument("--json", type=Path, help="a file that takes a line of JSON after each size")
    part.set_defaults(run=size, mark="size")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=wanted.folder) as folder:
        found = wanted.run(wanted, Path(folder))
    sys.stdout.write(found + "\n")
    PAGE.write_text(between(PAGE.read_text(encoding="utf-8"), wanted.mark, found), encoding="utf-8")


if __name__ == "__main__":
    main()
