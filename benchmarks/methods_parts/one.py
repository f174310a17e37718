"""One method on the shared rows, in a process of its own: one.py FOLDER STEPS WARM NAME SECTION.

The steps are those of the trainer itself. FOLDER holds the prepared rows and the loaded model, SECTION is what a recipe
would have under ``tune``, as JSON. With NAME ``reading`` nothing is trained: the rows only go forward, once a step.
"""

from __future__ import annotations

import gc
import hashlib
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from sevenfold import cores

if __name__ == "__main__":
    cores.share()

import torch

from sevenfold.console import Console
from sevenfold.load.model import Model
from sevenfold.prepare.dataset import Dataset
from sevenfold.record import Entry
from sevenfold.setup.section import SetupSection
from sevenfold.setup.stage import setup
from sevenfold.tune import accumulate, memory
from sevenfold.tune.batches import Batches
from sevenfold.tune.engine.forward import Forward
from sevenfold.tune.engine.passes import passes
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import build
from sevenfold.tune.tokens import encoded_split
from sevenfold.tune.trainer import Trainer

if TYPE_CHECKING:
    from sevenfold.setup.environment import Environment
    from sevenfold.tune.encoded import Encoded


def main(folder: Path, words: list[str], environment: Environment, entry: Entry) -> dict:
    """The figures of one contestant.

    Args:
        folder: The rows and the model.
        words: Steps, the first of them that do not count, the contestant's name and its section.
        environment: The machine, started.
        entry: A folder for what is written.
    """
    steps, warm, name = int(words[0]), int(words[1]), words[2]
    model, dataset = Model.open(folder / "2-load"), Dataset.open(folder / "1-prepare")
    section = TuneSection.model_validate({**json.loads(words[3]), "steps": steps})
    rows = encoded_split("train", section, dataset, model, entry)
    memory.reset_peak()
    idle = resident()
    if name == "reading":
        found = read(model, environment, section, rows, steps)
    else:
        found = train(model, environment, section, rows, entry)
    seconds = found.pop("seconds")
    whole = sum(weight.numel() for weight in model.skeleton().parameters())
    return {
        **found,
        "name": name,
        "seconds": sum(seconds[warm:]),
        "steps": steps - warm,
        "idle_bytes": idle,
        "share": found["trained"] / whole,
        "precision": environment.precision,
    }


def train(model: Model, environment: Environment, section: TuneSection, rows: Encoded, entry: Entry) -> dict:
    """Steps of the trainer, and what a method holds and writes."""
    forward = build(section, model, environment)
    trainer = Trainer(forward, section, rows, rows, environment.seed, entry)
    lead = len(section.method.lead(model.card.vocabulary))
    batches = [trainer.batches.at(step) for step in range(trainer.total)]
    taken = [trainer.step(batch) for batch in batches]
    peak = memory.peak_bytes(environment.device)
    place = entry.folder / "weights"
    place.mkdir()
    section.method.save(forward.network, place, model.card.name)
    return {
        "seconds": [step.seconds for step in taken],
        "peak_bytes": peak,
        "trained": sum(weight.numel() for weight in trainer.weights.values()),
        "optimizer_bytes": state_bytes(trainer.mover.optimizer),
        "disk_bytes": sum(path.stat().st_size for path in place.rglob("*") if path.is_file()),
        "losses": [round(step.loss, 4) for step in taken],
        "passes": [len(passes(rows.sequences(batch), section.tokens_per_pass)) for batch in batches],
        **work(rows, batches, lead),
    }


def read(model: Model, environment: Environment, section: TuneSection, rows: Encoded, steps: int) -> dict:
    """Passes forward over weights in float32, as MeZO holds them, without anything that learns."""
    network = model.network(torch.float32).requires_grad_(False).to(environment.device)
    forward = Forward(network, environment.dtype)
    order = Batches(len(rows), section.batch, environment.seed)
    batches = [order.at(step) for step in range(steps)]
    seconds = []
    for batch in batches:
        started = time.perf_counter()
        with torch.no_grad():
            sum(accumulate.losses(forward, section.objective, passes(rows.sequences(batch), section.tokens_per_pass)))
        seconds.append(time.perf_counter() - started)
    nothing = {"trained": 0, "optimizer_bytes": 0, "disk_bytes": 0}
    peak = memory.peak_bytes(environment.device)
    return {**nothing, "seconds": seconds, "peak_bytes": peak, **work(rows, batches, 0)}


def work(rows: Encoded, batches: list[list[int]], lead: int) -> dict:
    """What tells the work: which rows, and their tokens, those of the method's own apart."""
    origins = [rows.origins[row] for batch in batches for row in batch]
    tokens = [sum(length - lead for row in batch for length in rows.row_lengths(row)) for batch in batches]
    return {"rows": hashlib.sha256("\n".join(origins).encode()).hexdigest()[:16], "tokens": tokens}


def state_bytes(optimizer: torch.optim.Optimizer) -> int:
    """Bytes of all tensors that an optimiser keeps between steps."""
    return sum(
        value.nbytes for kept in optimizer.state.values() for value in kept.values() if isinstance(value, torch.Tensor)
    )


def resident() -> int:
    """Bytes that the process has in memory now."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * 4096


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as own:
        record = Entry(Path(own), Console(quiet=True))
        machine = setup(SetupSection(), record)
        machine.start()
        done = main(Path(sys.argv[1]), sys.argv[2:], machine, record)
    sys.stdout.write(json.dumps(done) + "\n")
