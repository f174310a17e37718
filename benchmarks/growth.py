"""What grows with the number of rows, and what does not: ``python benchmarks/growth.py``.

Documented functions of the Python standard library, each as often as needed, every time with another number in front.
Each figure is taken in a process of its own with a cache of its own; the table goes to ``benchmarks/RESULTS.md``.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from sevenfold import cores
from sevenfold.cache import VARIABLE
from sevenfold.chat.conversation import Conversation, Message

RESULTS = Path(__file__).parent / "RESULTS.md"
BARE = 10_000
"""Rows that the bare tokenizer is timed on, at most, and how many it is given at once."""
GROUP = 1_000
RECIPE = {"steps": 50, "max_length": 512, "validation_rows": 8, "learning_rate": 1e-3}


def prepared(folder: Path, sizes: list[int]) -> None:
    """The embedded model, and datasets of several sizes."""
    import pyarrow

    import sevenfold
    from sevenfold.prepare.dataset import Dataset, Row, arrow_schema, stored

    seed = sevenfold.prepare(folder / "1-prepare", source={"python": "stdlib"}, clean=["empty", {"length": 1800}])
    sevenfold.load(folder / "2-load")
    sevenfold.setup(folder / "3-setup")
    validation = seed.head("train", 8)

    def varied(count: int) -> Iterator[Row]:
        for number, row in zip(range(count), itertools.cycle(seed.head("train", 10**9)), strict=False):
            asked, *rest = row.conversation.messages
            first = Message(asked.role, f"Number {number}. {asked.content}")
            yield Row(Conversation((first, *rest)), f"{row.origin} {number}", row.fields)

    for size in sizes:
        (folder / str(size)).mkdir()
        made = Dataset(counts={"train": size, "validation": 8, "test": 0}).save(folder / str(size))
        for split, rows in (("train", varied(size)), ("validation", iter(validation))):
            with pyarrow.ipc.new_file(str(made.path(split)), arrow_schema()) as writer:
                for group in iter(lambda rows=rows: list(itertools.islice(rows, GROUP)), []):
                    writer.write_batch(pyarrow.RecordBatch.from_pylist([*map(stored, group)], schema=arrow_schema()))


def opened(folder: Path, size: str):
    """What the first three stages gave."""
    from sevenfold.load.model import Model
    from sevenfold.prepare.dataset import Dataset
    from sevenfold.setup.environment import Environment

    return Dataset.open(folder / size), Model.open(folder / "2-load"), Environment.open(folder / "3-setup")


def peak() -> int:
    """Bytes, the highest of this process so far; Linux's ``ru_maxrss`` would begin with the parent's."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def encode(folder: Path, size: str) -> dict:
    """Rows into the cache, beside the bare tokenizer on the same texts."""
    from sevenfold.record import Entry
    from sevenfold.tune.section import TuneSection
    from sevenfold.tune.tokens import encoded_split

    dataset, model, _ = opened(folder, size)
    encoder = model.encoder()
    # Imports and the first use of everything; the figures of small sizes still have the reading of the tokenizer.
    encoded_split("validation", TuneSection(**RECIPE), dataset, model, Entry(folder / "encode"))
    before, started = peak(), time.perf_counter()
    rows = encoded_split("train", TuneSection(**RECIPE), dataset, model, Entry(folder / "encode"))
    seconds, added = time.perf_counter() - started, peak() - before
    texts = [encoder.render(row.conversation.messages, reply_follows=False) for row in dataset.head("train", BARE)]
    bare = tokens = 0
    for start in range(0, len(texts), GROUP):
        group = texts[start : start + GROUP]
        started = time.perf_counter()
        found = encoder.tokenizer(group, add_special_tokens=False)["input_ids"]
        bare += time.perf_counter() - started
        tokens += sum(map(len, found))
    each = tokens / len(texts)
    return {
        "rows_per_second": int(size) / seconds,
        "tokens_per_second": int(size) * each / seconds,
        "bare_tokens_per_second": tokens / bare,
        "learnt": len(rows),
        "added_bytes": added,
        "peak_bytes": before + added,
    }


def train(folder: Path, size: str, steps: int) -> dict:
    """From the start of the process, with tokens in the cache, to the first step; then some steps."""
    from sevenfold.record import Entry
    from sevenfold.tune.engine.passes import passes
    from sevenfold.tune.section import TuneSection
    from sevenfold.tune.stage import build
    from sevenfold.tune.tokens import encoded_split
    from sevenfold.tune.trainer import Trainer
    from sevenfold.tune.work import work_of

    dataset, model, environment = opened(folder, size)
    section, entry = TuneSection(**RECIPE), Entry(folder / f"train-{size}")
    entry.folder.mkdir()
    rows = [encoded_split(split, section, dataset, model, entry) for split in ("train", "validation")]
    environment.plan(work_of(section, rows[0], model, environment)).require()
    environment.start()
    trainer = Trainer(build(section, model, environment), section, *rows, environment.seed, entry)
    ready = time.time() - float(os.environ["STARTED"])
    done = [trainer.step(trainer.batches.at(number)) for number in range(steps)]
    started = time.perf_counter()
    for number in range(steps, steps + 50):
        passes(trainer.rows.sequences(trainer.batches.at(number)), section.tokens_per_pass)
    data = (time.perf_counter() - started) / 50
    kept = done[1:] or done
    seconds = sum(step.seconds for step in kept)
    return {
        "ready_seconds": ready,
        "microseconds_per_token": 1e6 * seconds / sum(step.tokens for step in kept),
        "data_share": data * len(kept) / seconds,
        "peak_bytes": peak(),
    }


def child(folder: Path, steps: int, *words: object) -> dict:
    """A process of its own; its JSON line."""
    settings = {**os.environ, VARIABLE: str(folder / "cache"), "STARTED": str(time.time())}
    command = [sys.executable, __file__, "--folder", str(folder), "--steps", str(steps), "--child", *map(str, words)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=settings)
    if ended.returncode:
        raise SystemExit(f"{' '.join(command)}\n{ended.stderr[-3000:]}")
    return json.loads(ended.stdout.strip().splitlines()[-1])


def table(found: dict[int, dict[str, dict]]) -> str:
    """A row for each size."""
    lines = [
        "| rows | encoded: rows/s | tokens/s | bare tokenizer | share of it | memory that encoding adds "
        "| ready with cached tokens | a training token | its reading and packing | peak of training |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for size, both in found.items():
        one, two = both["encode"], both["train"]
        lines.append(
            f"| {size:,} | {one['rows_per_second']:,.0f} | {one['tokens_per_second']:,.0f} "
            f"| {one['bare_tokens_per_second']:,.0f} | {one['tokens_per_second'] / one['bare_tokens_per_second']:.0%} "
            f"| {one['added_bytes'] / 1e6:,.0f} MB | {two['ready_seconds']:.1f} s "
            f"| {two['microseconds_per_token']:,.0f} µs | {two['data_share']:.2%} | {two['peak_bytes'] / 1e9:.2f} GB |"
        )
    return "\n".join(lines)


def write(text: str) -> None:
    """Put the table between its marks in the results, and show it."""
    begin, end = "<!-- growth:begin -->", "<!-- growth:end -->"
    before, _, rest = RESULTS.read_text(encoding="utf-8").partition(begin)
    _, _, after = rest.partition(end)
    RESULTS.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 10_000, 100_000], help="sizes of the dataset")
    parser.add_argument("--steps", type=int, default=8, help="steps of training; the first is warm-up")
    parser.add_argument("--show", action="store_true", help="show the table only, write no results")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.child:
        cores.share()
        what, size = wanted.child
        figures = encode(wanted.folder, size) if what == "encode" else train(wanted.folder, size, wanted.steps)
        print(json.dumps(figures))
        return
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        prepared(folder, wanted.rows)
        found: dict[int, dict[str, dict]] = {}
        for size in wanted.rows:
            found[size] = {what: child(folder, wanted.steps, what, size) for what in ("encode", "train")}
            sys.stderr.write(f"{size}: {json.dumps(found[size])}\n")
    from training import machine

    text = f"{table(found)}\n\n{wanted.steps} steps of training; {machine()}"
    print(text)
    if not wanted.show:
        write(text)


if __name__ == "__main__":
    main()
