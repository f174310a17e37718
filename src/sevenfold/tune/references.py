"""Log-probabilities of all targets before the first step: computed once, kept for every training that starts the same.

A preference is learnt relative to where the model began. The network that is about to be trained still is that model,
so it says them itself, one pass forward over the rows that the training will visit; no second model is in memory, then
or later.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sevenfold import cache
from sevenfold.load.model import Model
from sevenfold.record import Entry, code_digest, digest
from sevenfold.setup.environment import Environment
from sevenfold.tune.batches import Batches
from sevenfold.tune.section import TuneSection

if TYPE_CHECKING:
    from sevenfold.tune.encoded import Encoded
    from sevenfold.tune.engine.forward import Forward

KIND, NAME = "references", "reference"
LIMIT = 5_000_000_000
"""Bytes that the cache keeps; what was not used for longest goes."""


def apply(
    section: TuneSection,
    forward: Forward,
    encoded: dict[str, Encoded],
    model: Model,
    environment: Environment,
    entry: Entry,
) -> None:
    """Give the rows of both splits the column ``reference``.

    Args:
        section: The recipe's section.
        forward: The network before its first step.
        encoded: The splits ``train`` and ``validation``.
        model: The base model.
        environment: Device, precision and seed.
        entry: Shows the progress.
    """
    for split, rows in encoded.items():
        wanted = visited(section, rows, environment.seed) if split == "train" else watched(section, rows)

        def make(folder: Path, rows: Encoded = rows, wanted: list[int] = wanted, split: str = split) -> None:
            with entry.console.task(f"{split}: what the model says before it learns (rows)", len(wanted)) as bar:
                logprobs(forward, section, rows, wanted, bar.advance).tofile(folder / NAME)

        if len(rows):
            folder = cache.kept(KIND, content_key(section, rows, wanted, model, environment), make)
            # Another process may trim the cache while this one trains.
            place = entry.folder / "encoded" / f"{split}.{NAME}"
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / NAME, place)
            rows.columns[NAME] = np.fromfile(place, dtype=np.float32)
    cache.trim(KIND, LIMIT)


def visited(section: TuneSection, rows: Encoded, seed: int) -> list[int]:
    """The rows that the training will read."""
    return Batches.of(section, rows, seed).visited(section.total_steps(len(rows)))


def watched(section: TuneSection, rows: Encoded) -> list[int]:
    """The rows that validation reads."""
    return list(range(min(len(rows), section.validation_rows)))


def logprobs(
    forward: Forward, section: TuneSection, rows: Encoded, wanted: list[int], advance: Callable[[int], None]
) -> np.ndarray:
    """The log-probability of each target of some rows, float32, one number a token; not a number elsewhere."""
    import torch

    from sevenfold.tune.engine.passes import split

    said = np.full(len(rows.parts["ids"]), np.nan, dtype=np.float32)
    training = forward.network.training
    forward.network.eval()
    try:
        with torch.no_grad():
            for start in range(0, len(wanted), section.batch):
                chunk = wanted[start : start + section.batch]
                numbers = [number for row in chunk for number in rows.numbers(row)]
                lengths = [int(rows.lengths[number]) for number in numbers]
                for group in split(lengths, section.tokens_per_pass):
                    fill(forward, rows, [numbers[index] for index in group], section.objective.here, said)
                advance(len(chunk))
    finally:
        forward.network.train(training)
    return said


def fill(forward: Forward, rows: Encoded, numbers: list[int], here: bool, said: np.ndarray) -> None:
    """Put what the network says of the targets of some sequences into the places of their tokens."""
    from sevenfold.tune.engine.passes import pack

    sequences, places, count = [], [], 0
    for number in numbers:
        sequence, tokens = rows.sequence(number), rows.tokens(number)
        columns = {"place": [float(count + place) for place in range(len(sequence))]}
        sequences.append(replace(sequence, columns=columns))
        places.append(np.arange(tokens.start, tokens.stop))
        count += len(sequence)
    batch = pack(sequences, here)
    found = forward(batch).float().cpu().numpy()
    said[np.concatenate(places)[batch.columns["place"].numpy().astype(int)]] = found


def content_key(section: TuneSection, rows: Encoded, wanted: list[int], model: Model, environment: Environment) -> str:
    """The hash of everything that decides what the model says."""
    weights = sorted(model.weights.glob("*.safetensors"))
    return digest(
        {
            "tokens": [rows.folder.name, rows.name],
            "rows": wanted,
            "weights": {path.name: cache.remembered_digest(path) for path in weights},
            "section": section.model_dump(mode="json", include={"method", "tokens_per_pass", "batch"}),
            "files": section.own_files(),
            "outside": section.method.outside(),
            "environment": environment.model_dump(include={"device", "precision", "threads", "seed"}),
            "code": code_digest("tune", "load"),
            "versions": {name: version(name) for name in ("torch", "transformers")},
        }
    )
