"""The same local tasks through lm-eval's own transformers backend and through our engine, alternating.

    python benchmarks/evaluation_lm_eval.py [--tasks fa_countries,find_passage] [--limit 100] [--shots 0] [--rounds 2]

Both have the same network in memory, the same threads and the same batch size, and are timed from the task's rows to
its figures, the rows loaded before. Prints each time, the ratio of the medians, and whether every figure is the same.
On a machine that does other work too, the processor's time with --threads 1 says more than the clock's.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import logging
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

TASKS = "fa_countries,find_passage,python_modules"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="smollm2-135m", help="a name of the catalogue, or a folder")
    parser.add_argument("--tasks", default=TASKS, help="sets that come along, with commas")
    parser.add_argument("--limit", type=int, default=100, help="documents of each task")
    parser.add_argument("--shots", type=int, default=0, help="examples before each question")
    parser.add_argument("--batch", type=int, default=8, help="rows of a forward pass")
    parser.add_argument("--threads", type=int, default=2, help="threads of matrix products")
    parser.add_argument("--rounds", type=int, default=2, help="how often each is timed")
    return parser.parse_args()


def model_of(name: str) -> Any:
    """The model as the stage load gives it."""
    from sevenfold.load.section import LoadSection
    from sevenfold.load.stage import load
    from sevenfold.record import Entry

    return load(LoadSection(model=name), Entry(Path(tempfile.mkdtemp())))


def theirs(network: Any, tokenizer: Any, part: Any, given: argparse.Namespace) -> Callable[[], dict[str, float]]:
    """lm-eval's own backend."""
    from lm_eval.models.huggingface import HFLM

    backend = HFLM(pretrained=network, tokenizer=tokenizer, batch_size=given.batch)
    return lambda: figures(backend, part, given)


def ours(network: Any, encoder: Any, part: Any, given: argparse.Namespace) -> Callable[[], dict[str, float]]:
    """Our engine; nothing is kept from the round before."""
    from sevenfold.console import Console
    from sevenfold.evaluate.benchmarks.adapter import EngineLM
    from sevenfold.evaluate.jsonl import Kept
    from sevenfold.evaluate.subject import Subject
    from sevenfold.generate.engines.transformers import TransformersEngine

    def run() -> dict[str, float]:
        folder = Path(tempfile.mkdtemp())
        engine = TransformersEngine(network, encoder, given.batch)
        kept, console = Kept(folder / "kept.jsonl"), Console(quiet=True)
        subject: Any = Subject("base", "benchmarks", engine, (), kept, given.batch, console, [], None, folder, 17)  # type: ignore[arg-type]
        return figures(EngineLM(subject), part, given)

    return run


def figures(lm: Any, part: Any, given: argparse.Namespace) -> dict[str, float]:
    """Every figure of a task."""
    from sevenfold.evaluate.benchmarks.ask import ask

    with contextlib.redirect_stderr(io.StringIO()):
        found = ask(lm, "task", part, given.limit, given.shots, chat=False)
    return {f"{score.task} {score.metric}": score.value for score in found.scores}


def timed(work: Callable[[], dict[str, float]]) -> tuple[tuple[float, float], dict[str, float]]:
    """Seconds of the clock and of the processor, and what came of it."""
    started, worked = time.perf_counter(), time.process_time()
    found = work()
    return (time.perf_counter() - started, time.process_time() - worked), found


def ratio(seconds: dict[str, list[tuple[float, float]]], kind: int) -> float:
    """How many times as long lm-eval's backend takes: by the clock (0), by the processor (1)."""
    theirs_, ours_ = (median(one[kind] for one in seconds[who]) for who in ("lm-eval", "sevenfold"))
    return round(theirs_ / ours_, 2)


def main() -> None:
    given = arguments()
    import torch

    from sevenfold.evaluate.benchmarks.tasks import Loader

    logging.disable(logging.WARNING)
    torch.set_num_threads(given.threads)
    model = model_of(given.model)
    network, encoder = model.network(torch.float32).eval(), model.encoder()
    for name, part in Loader(None, (), False).load(given.tasks.split(",")).parts.items():
        contestants = {
            "lm-eval": theirs(network, encoder.tokenizer, part, given),
            "sevenfold": ours(network, encoder, part, given),
        }
        seconds: dict[str, list[tuple[float, float]]] = {who: [] for who in contestants}
        values: dict[str, dict[str, float]] = {}
        for _ in range(given.rounds):
            for who, work in contestants.items():
                spent, values[who] = timed(work)
                seconds[who].append((round(spent[0], 2), round(spent[1], 2)))
        same = all(f"{values['lm-eval'][key]:.4f}" == f"{value:.4f}" for key, value in values["sevenfold"].items())
        told = {"task": name, "ratio": ratio(seconds, 0), "ratio_of_processor": ratio(seconds, 1), "same": same}
        print(json.dumps({**told, "seconds": seconds, "figures": values["sevenfold"]}), flush=True)


if __name__ == "__main__":
    main()
