"""What the traffic is compared with: a sample of what was asked in training, kept in ``baseline.json``."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from sevenfold.errors import MachineError
from sevenfold.monitor.text import asked
from sevenfold.prepare.dataset import Dataset
from sevenfold.record import file_digest, write_text

BASELINE_FILE = "baseline.json"


class Baseline(BaseModel):
    """A sample of the training prompts, and what each check measured on it.

    Args:
        dataset: The SHA-256 of the training split, so that another dataset gives another baseline.
        seed: The seed of the sample.
        size: Prompts asked for; fewer are kept when there are fewer.
        seen: All training prompts.
        prompts: The sample, in random order.
        calibrations: Check to the settings it was calibrated with and what it measured.
    """

    dataset: str
    seed: int
    size: int
    seen: int
    prompts: list[str]
    calibrations: dict[str, dict[str, Any]] = {}


def training_prompts(dataset: Dataset) -> Iterator[str]:
    """What is asked before each reply that the model learnt."""
    for row in dataset.rows("train"):
        messages = [message.as_dict() for message in row.conversation.messages]
        for position in row.conversation.replies:
            yield asked(messages[:position])


def reservoir(items: Iterable[str], size: int, seed: int) -> tuple[list[str], int]:
    """A uniform sample of items that are read once (Vitter, "Random sampling with a reservoir", 1985, algorithm R).

    Args:
        items: What is drawn from.
        size: Items to keep.
        seed: The seed of the draw.

    Returns:
        The sample in random order, and the number of all items.
    """
    kept: list[str] = []
    draw, seen = random.Random(seed), 0
    for seen, item in enumerate(items, start=1):
        if len(kept) < size:
            kept.append(item)
        elif (place := draw.randrange(seen)) < size:
            kept[place] = item
    draw.shuffle(kept)
    return kept, seen


def baseline_of(dataset: Dataset, folder: Path, size: int, seed: int) -> Baseline:
    """The baseline kept in ``folder``, or a new one when there is none or it is of other data or settings.

    Args:
        dataset: The training data.
        folder: Where ``baseline.json`` lies.
        size: Prompts to keep.
        seed: The seed of the sample.

    Raises:
        MachineError: The kept file cannot be read.
    """
    digest = file_digest(dataset.path("train")) if dataset.counts.get("train") else ""
    kept = read(folder / BASELINE_FILE)
    if kept and (kept.dataset, kept.size, kept.seed) == (digest, size, seed):
        return kept
    prompts, seen = reservoir(training_prompts(dataset), size, seed)
    return Baseline(dataset=digest, seed=seed, size=size, seen=seen, prompts=prompts)


def read(path: Path) -> Baseline | None:
    """The baseline in a file, or None when there is no file."""
    if not path.exists():
        return None
    try:
        return Baseline.model_validate_json(path.read_text(encoding="utf-8"))
    except (ValidationError, UnicodeDecodeError) as error:
        raise MachineError(
            f"the baseline cannot be read: {str(error).splitlines()[0]}",
            where=str(path),
            next_step="delete the file and rerun; it is made again from the training data",
        ) from None


def keep(baseline: Baseline, folder: Path) -> None:
    """Write ``baseline.json``."""
    write_text(folder / BASELINE_FILE, baseline.model_dump_json(indent=2) + "\n")
